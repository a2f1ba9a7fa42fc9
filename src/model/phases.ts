import { tf } from '../engine/tensorflow.js';
import { judge } from './discriminator.js';
import { generate } from './generator.js';
import { judgeWithPenalty } from './gradient-penalty.js';
import { valueAndGradients } from './gradients.js';
import type { ModelLayout } from './layout.js';
import { binaryCrossEntropy, meanScore } from './loss.js';
import { flatten } from './tensors.js';

/** A network's parameters, one tensor a slot of its layout. */
export type Parameters = readonly tf.Tensor[];

export interface Weights {
  readonly generator: Parameters;
  readonly discriminator: Parameters;
}

/** What a phase computes on one shard; `flattenPhase` joins it into the vector that `phaseLayout` describes. */
export interface PhaseTensors {
  /** d loss / d parameter, in the shape of each parameter of the phase's network. */
  readonly gradients: readonly tf.Tensor[];
  /** Batch mean and unbiased variance of each batch-norm layer, a list for each forward pass that counts. */
  readonly statistics: readonly (readonly tf.Tensor[])[];
  /** Scalars, in the order of MEASURES. */
  readonly measures: readonly tf.Tensor[];
}

/** How images come before the discriminator. */
export interface Showing {
  /** What it sees instead of them; undefined: themselves. Differentiable. */
  readonly change?: ((images: tf.Tensor4D) => tf.Tensor4D) | undefined;
  /** Weight of the gradient penalty, see `gradient-penalty.ts`; undefined: none. Of real images only. */
  readonly r1?: number | undefined;
}

/** What the discriminator learns from one batch of images. */
export interface Lesson {
  readonly gradients: readonly tf.Tensor[];
  readonly statistics: readonly tf.Tensor[];
  readonly loss: tf.Tensor;
  /** D(.) */
  readonly score: tf.Tensor;
}

/**
 * The phases of one step as pure functions of tensors, as in PyTorch's DCGAN tutorial. Call them in a tidy().
 *
 * The discriminator's: on real and on generated images, as two batches with statistics of their own.
 */
export function discriminatorPhase(
  layout: ModelLayout,
  weights: Weights,
  /** What learnFrom has of the real images. */
  onReal: Lesson,
  /** [batch, latent] */
  noise: tf.Tensor2D,
  showing?: Showing,
): PhaseTensors {
  const generated = generate(layout.generator, weights.generator, noise);
  const onFake = learnFrom(layout, weights.discriminator, generated.images, 0, showing);
  return bothLessons(generated.statistics, onReal, onFake);
}

/** One of the discriminator's two batches: real images have label 1, generated ones 0. */
export function learnFrom(
  layout: ModelLayout,
  discriminator: Parameters,
  images: tf.Tensor4D,
  label: 0 | 1,
  { change, r1 }: Showing = {},
): Lesson {
  const seen = change && r1 === undefined ? change(images) : images;
  const { loss, extras, gradients } = valueAndGradients(discriminator, (parameters) => {
    if (r1 === undefined) {
      const { logits, statistics } = judge(layout.discriminator, parameters, seen);
      return { loss: binaryCrossEntropy(logits, label), extras: [statistics, [meanScore(logits)]] };
    }
    const { logits, statistics, penalty } = judgeWithPenalty(
      layout.discriminator,
      parameters,
      images,
      change,
    );
    const loss: tf.Scalar = tf.add(binaryCrossEntropy(logits, label), tf.mul(penalty, r1));
    return { loss, extras: [statistics, [meanScore(logits)]] };
  });
  const [statistics, [score]] = extras;
  return { gradients, statistics, loss, score };
}

/** The discriminator's phase: its loss is the sum over both batches. */
export function bothLessons(drawing: readonly tf.Tensor[], onReal: Lesson, onFake: Lesson): PhaseTensors {
  return {
    gradients: onReal.gradients.map((gradient, index) => tf.add(gradient, onFake.gradients[index])),
    statistics: [drawing, onReal.statistics, onFake.statistics],
    measures: [tf.add(onReal.loss, onFake.loss), onReal.score, onFake.score],
  };
}

/** The generator's, through the updated discriminator, on the same noise: the non-saturating loss, -log D(G(z)). */
export function generatorPhase(
  layout: ModelLayout,
  weights: Weights,
  noise: tf.Tensor2D,
  { change }: Showing = {},
): PhaseTensors {
  const { loss, extras, gradients } = valueAndGradients(weights.generator, (generator) => {
    const { images } = generate(layout.generator, generator, noise);
    const onFake = judge(layout.discriminator, weights.discriminator, change ? change(images) : images);
    return {
      loss: binaryCrossEntropy(onFake.logits, 1),
      extras: [onFake.statistics, [meanScore(onFake.logits)]],
    };
  });
  const [onFake, scores] = extras;
  return { gradients, statistics: [onFake], measures: [loss, ...scores] };
}

/** Laid out by `phaseLayout`: gradient, batch statistics, measures. */
export function flattenPhase({ gradients, statistics, measures }: PhaseTensors): tf.Tensor1D {
  return flatten([...gradients, ...statistics.flat(), ...measures]);
}
