import { tf } from '../engine/tensorflow.js';

/**
 * Binary cross-entropy of logits against one label for all, mean over the batch. [batch] -> []
 *
 * -log(sigmoid(x)) = softplus(-x) and -log(1 - sigmoid(x)) = softplus(x): stable for logits of any size
 * (PyTorch's BCEWithLogitsLoss), where the tutorial's BCELoss after a sigmoid clamps the logarithm.
 */
export function binaryCrossEntropy(logits: tf.Tensor, label: 0 | 1): tf.Scalar {
  return tf.mean(tf.softplus(label === 1 ? tf.neg(logits) : logits));
}

/** D(.), the discriminator's belief that images are real: mean of sigmoid(logits). [batch] -> [] */
export function meanScore(logits: tf.Tensor): tf.Scalar {
  return tf.mean(tf.sigmoid(logits));
}
