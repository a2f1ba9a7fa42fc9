import * as tf from '@tensorflow/tfjs-core';
import { discriminate, type DiscriminatorOutput } from './discriminator.js';
import { valueAndGradients } from './gradients.js';
import type { NetworkLayout } from './layout.js';

export interface R1Output extends DiscriminatorOutput {
  /** 1/2 E |d D(x) / d x|^2, over the images x as they are, and D(x) the logit. */
  readonly penalty: tf.Scalar;
}

/**
 * Runs the discriminator and computes the R1 penalty at the images (Mescheder et al. 2018, Which Training Methods for
 * GANs do actually Converge?, equation 9). The gradient passes through `augment`
 * and through the batch statistics, as torch.autograd.grad(D(x).sum(), x) does. Differentiable in the parameters.
 */
export function discriminateWithR1(
  layout: NetworkLayout,
  parameters: readonly tf.Tensor[],
  images: tf.Tensor4D,
  augment: (images: tf.Tensor4D) => tf.Tensor4D = (same) => same,
): R1Output {
  const { gradients, extras } = valueAndGradients([images], ([x]) => {
    const { logits, statistics } = discriminate(layout, parameters, augment(x as tf.Tensor4D));
    return { loss: tf.sum(logits), extras: [[logits], statistics] };
  });
  const [[logits], statistics] = extras;
  const [slopes] = gradients;
  const penalty: tf.Scalar = tf.mul(halfOfSquares(slopes), 1 / images.shape[0]);
  return { logits: logits as tf.Tensor1D, statistics: statistics as tf.Tensor1D[], penalty };
}

/** 1/2 sum(x^2), whose gradient is x: without the ones, as large as x, that TensorFlow.js would multiply by. */
const halfOfSquares = tf.customGrad<tf.Scalar>((values, save) => {
  const x = values as tf.Tensor;
  (save as tf.GradSaveFunc)([x]);
  const value: tf.Scalar = tf.mul(tf.sum(tf.square(x)), 0.5);
  return { value, gradFunc: (gradient, [saved]) => tf.mul(saved, gradient) };
});
