import * as tf from '@tensorflow/tfjs-core';
import { judge } from './discriminator.js';
import { generate } from './generator.js';
import { valueAndGradients } from './gradients.js';
import type { ModelLayout } from './layout.js';
import { binaryCrossEntropy, meanScore } from './loss.js';
import { flatten, unflatten } from './tensors.js';

/**
 * The phases of one step as pure functions of tensors, as in PyTorch's DCGAN tutorial. Each returns a flat vector
 * laid out by `phaseLayout`: gradient, batch statistics, measures. Call them in a tidy().
 */
export interface Weights {
  /** Flat, in the layout's order. */
  readonly generator: tf.Tensor1D;
  readonly discriminator: tf.Tensor1D;
}

/** Discriminator on real and on generated images, as two batches with statistics of their own. */
export function discriminatorGradients(
  layout: ModelLayout,
  weights: Weights,
  /** [batch, size, size, 3], in [-1, 1] */
  real: tf.Tensor4D,
  /** [batch, latent] */
  noise: tf.Tensor2D,
): tf.Tensor1D {
  const generated = generate(
    layout.generator,
    unflatten(weights.generator, layout.generator.parameters),
    noise,
  );
  const parameters = unflatten(weights.discriminator, layout.discriminator.parameters);
  const { loss, extras, gradients } = valueAndGradients(parameters, (discriminator) => {
    const onReal = judge(layout.discriminator, discriminator, real);
    const onFake = judge(layout.discriminator, discriminator, generated.images);
    return {
      loss: tf.add(binaryCrossEntropy(onReal.logits, 1), binaryCrossEntropy(onFake.logits, 0)),
      extras: [
        ...onReal.statistics,
        ...onFake.statistics,
        meanScore(onReal.logits),
        meanScore(onFake.logits),
      ],
    };
  });
  const scores = extras.slice(-2);
  return flatten([...gradients, ...generated.statistics, ...extras.slice(0, -2), loss, ...scores]);
}

/** Generator through the updated discriminator, on the same noise: the non-saturating loss, -log D(G(z)). */
export function generatorGradients(layout: ModelLayout, weights: Weights, noise: tf.Tensor2D): tf.Tensor1D {
  const discriminator = unflatten(weights.discriminator, layout.discriminator.parameters);
  const parameters = unflatten(weights.generator, layout.generator.parameters);
  const { loss, extras, gradients } = valueAndGradients(parameters, (generator) => {
    const { images } = generate(layout.generator, generator, noise);
    const onFake = judge(layout.discriminator, discriminator, images);
    return {
      loss: binaryCrossEntropy(onFake.logits, 1),
      extras: [...onFake.statistics, meanScore(onFake.logits)],
    };
  });
  const score = extras.slice(-1);
  return flatten([...gradients, ...extras.slice(0, -1), loss, ...score]);
}
