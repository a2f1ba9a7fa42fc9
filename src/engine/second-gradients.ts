import * as tf from '@tensorflow/tfjs-core';
import { LEAKY_RELU_GRADIENT, type LeakyReluGradientAttributes } from './activation-gradients.js';
import { BATCH_NORM_EPSILON, TRAINING_BATCH_NORM_GRADIENT, type GradientOutputs } from './batch-norm.js';

/**
 * The gradients of the gradient kernels in a discriminator, for a loss that has the gradient with respect to its images
 * in it. That of a convolution comes with TensorFlow.js.
 */
export function registerSecondGradients(): void {
  // Linear in what it is given, and flat in the features.
  tf.registerGradient({
    kernelName: LEAKY_RELU_GRADIENT,
    inputsToSave: ['features'],
    gradFunc: (gradient, [features], attributes) => {
      const { alpha } = attributes as unknown as LeakyReluGradientAttributes;
      const inputs = { outputGradient: gradient as tf.Tensor, features };
      return {
        outputGradient: () => tf.engine().runKernel(LEAKY_RELU_GRADIENT, inputs, { alpha }),
        features: () => tf.zerosLike(features),
      };
    },
  });
  tf.registerGradient({
    kernelName: TRAINING_BATCH_NORM_GRADIENT,
    inputsToSave: ['outputGradient', 'features', 'gamma', 'saved1', 'saved2', 'saved3'],
    gradFunc: (gradients, saved) => {
      const [gradient] = gradients as unknown as [tf.Tensor4D];
      const [outputGradient, features, gamma, ...statistics] = saved as BatchNormInputs;
      const forward = { features, gamma, statistics };
      const { forFeatures, forGamma } = secondGradient(gradient, outputGradient, forward);
      return {
        outputGradient: () => firstGradient(gradient, forward),
        features: () => forFeatures,
        gamma: () => forGamma,
        // They follow from the features, in whose gradient theirs is.
        saved1: () => tf.zerosLike(statistics[0]),
        saved2: () => tf.zerosLike(statistics[1]),
        saved3: () => tf.zerosLike(statistics[2]),
      };
    },
  });
}

type BatchNormInputs = [
  outputGradient: tf.Tensor4D,
  features: tf.Tensor4D,
  gamma: tf.Tensor1D,
  ...statistics: [tf.Tensor, tf.Tensor, tf.Tensor],
];

/** Inputs and saved outputs of the forward pass. */
interface Forward {
  readonly features: tf.Tensor4D;
  readonly gamma: tf.Tensor1D;
  readonly statistics: readonly [tf.Tensor, tf.Tensor, tf.Tensor];
}

/**
 * Batch norm's gradient with respect to its features, gamma s P(g), with s = 1 / deviation and
 * P(g) = g - mean(g) - x mean(g x) for normalised features x. P is its own transpose.
 */
function firstGradient(
  outputGradient: tf.Tensor4D,
  { features, gamma, statistics: [saved1, saved2, saved3] }: Forward,
): tf.Tensor4D {
  const inputs = { outputGradient, features, gamma, saved1, saved2, saved3 };
  const outputs = tf.engine().runKernel(TRAINING_BATCH_NORM_GRADIENT, inputs);
  return (outputs as unknown as GradientOutputs)[0];
}

/**
 * Gradients of L = sum(u gamma s P(g)) for features and gamma, where u is the incoming gradient. (Those through the
 * gradients of gamma and beta are not needed.) With q = s P(g), and ds / d features = -s^2 x / N:
 *
 *     for gamma     sum(u q)
 *     for features  s P(h) - s gamma sum(u q) x / N, with h = dL / dx = -gamma s (u mean(g x) + g mean(u x))
 */
function secondGradient(
  u: tf.Tensor4D,
  g: tf.Tensor4D,
  { features, gamma, statistics }: Forward,
): { forFeatures: tf.Tensor4D; forGamma: tf.Tensor1D } {
  const axes = [0, 1, 2];
  const centred = tf.sub(features, tf.mean(features, axes, true));
  const s = tf.rsqrt(tf.add(tf.mean(tf.square(centred), axes, true), BATCH_NORM_EPSILON));
  const x = tf.mul(centred, s);
  const scale = tf.mul(s, gamma);
  const plain = { features, gamma: tf.onesLike(gamma), statistics };
  const products = tf.mul(u, firstGradient(g, plain));
  const h = tf.add(
    tf.mul(u, tf.mul(scale, tf.mean(tf.mul(g, x), axes, true))),
    tf.mul(g, tf.mul(scale, tf.mean(tf.mul(u, x), axes, true))),
  );
  const throughScale = tf.mul(x, tf.mul(scale, tf.mean(products, axes, true)));
  const forFeatures: tf.Tensor4D = tf.neg(tf.add(firstGradient(h as tf.Tensor4D, plain), throughScale));
  return { forFeatures, forGamma: tf.sum(products, axes) };
}
