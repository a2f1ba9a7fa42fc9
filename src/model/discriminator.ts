import { tf } from '../engine/tensorflow.js';
import { trainingBatchNorm } from '../engine/batch-norm.js';
import { SMALLEST_MAP } from './architecture.js';
import type { NetworkLayout } from './layout.js';
import { layerTensors } from './tensors.js';

/** Slope of LeakyReLU below zero (Radford et al. 2015, section 4). */
const LEAK = 0.2;

/** Result of a forward pass of the discriminator. */
export interface DiscriminatorOutput {
  /** [batch]; D(x) = sigmoid(logit) */
  readonly logits: tf.Tensor1D;
  /** Batch mean and unbiased variance of each batch-norm layer, in layout order. */
  readonly statistics: tf.Tensor1D[];
}

/** Computes D(x) before its sigmoid, with batch statistics. images [batch, size, size, 3], in [-1, 1] */
export function discriminate(
  layout: NetworkLayout,
  parameters: readonly tf.Tensor[],
  images: tf.Tensor4D,
): DiscriminatorOutput {
  const statistics: tf.Tensor1D[] = [];
  let features = images;
  for (const { kernel, norm } of layerTensors(layout, parameters)) {
    if (features.shape[1] === SMALLEST_MAP) {
      // [batch, 4, 4, channels] -> [batch, 1, 1, 1]
      features = tf.conv2d(features, kernel as tf.Tensor4D, 1, 'valid');
      break;
    }
    // [batch, side, side, input] -> [batch, side / 2, side / 2, output]
    features = tf.conv2d(features, kernel as tf.Tensor4D, 2, 'same');
    if (norm) {
      const { output, mean, variance } = trainingBatchNorm(features, norm.gamma, norm.beta);
      statistics.push(mean, variance);
      features = output;
    }
    features = tf.leakyRelu(features, LEAK);
  }
  return { logits: tf.reshape(features, [-1]), statistics };
}
