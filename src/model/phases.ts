import { tf } from '../engine/tensorflow.js';
import { discriminate } from './discriminator.js';
import { generate } from './generator.js';
import { discriminateWithR1 } from './gradient-penalty.js';
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

/** Results of a phase on one shard; `flattenPhase` joins them into the vector of `phaseLayout`. */
export interface PhaseTensors {
  /** d loss / d parameter, in the shape of each parameter of the phase's network. */
  readonly gradients: readonly tf.Tensor[];
  /** Batch mean and unbiased variance of each batch-norm layer, a list for each forward pass that counts. */
  readonly statistics: readonly (readonly tf.Tensor[])[];
  /** Scalars, in the order of MEASURES. */
  readonly measures: readonly tf.Tensor[];
}

/** Changes to the discriminator's input and loss. */
export interface DiscriminatorOptions {
  /** Differentiable augmentation of the images; undefined: none. */
  readonly augment?: ((images: tf.Tensor4D) => tf.Tensor4D) | undefined;
  /** Weight of the R1 penalty at real images, see `gradient-penalty.ts`; undefined: none. */
  readonly r1?: number | undefined;
}

/** Gradients of the discriminator on one batch of images, real or generated. */
export interface BatchGradients {
  readonly gradients: readonly tf.Tensor[];
  readonly statistics: readonly tf.Tensor[];
  readonly loss: tf.Tensor;
  /** D(.) */
  readonly score: tf.Tensor;
}

/**
 * Computes the discriminator's phase as PyTorch's DCGAN tutorial does: real and generated images are two batches, each with
 * its own batch statistics. As all phases, a pure function of tensors; call it in a tidy().
 */
export function discriminatorPhase(
  layout: ModelLayout,
  weights: Weights,
  /** Result of `discriminatorGradients` on the real images. */
  onReal: BatchGradients,
  /** [batch, latent] */
  noise: tf.Tensor2D,
  options?: DiscriminatorOptions,
): PhaseTensors {
  const generated = generate(layout.generator, weights.generator, noise);
  const onFake = discriminatorGradients(layout, weights.discriminator, generated.images, 0, options);
  return sumRealAndFake(generated.statistics, onReal, onFake);
}

/** Computes loss and gradients on one batch: images [batch, size, size, 3]; label 1 for real images, 0 for generated. */
export function discriminatorGradients(
  layout: ModelLayout,
  discriminator: Parameters,
  images: tf.Tensor4D,
  label: 0 | 1,
  { augment, r1 }: DiscriminatorOptions = {},
): BatchGradients {
  const seen = augment && r1 === undefined ? augment(images) : images;
  const { loss, extras, gradients } = valueAndGradients(discriminator, (parameters) => {
    if (r1 === undefined) {
      const { logits, statistics } = discriminate(layout.discriminator, parameters, seen);
      return { loss: binaryCrossEntropy(logits, label), extras: [statistics, [meanScore(logits)]] };
    }
    const { logits, statistics, penalty } = discriminateWithR1(
      layout.discriminator,
      parameters,
      images,
      augment,
    );
    const loss: tf.Scalar = tf.add(binaryCrossEntropy(logits, label), tf.mul(penalty, r1));
    return { loss, extras: [statistics, [meanScore(logits)]] };
  });
  const [statistics, [score]] = extras;
  return { gradients, statistics, loss, score };
}

/** Sums gradients and losses of both batches. `drawing`: batch statistics of the generator's forward pass. */
export function sumRealAndFake(
  drawing: readonly tf.Tensor[],
  onReal: BatchGradients,
  onFake: BatchGradients,
): PhaseTensors {
  return {
    gradients: onReal.gradients.map((gradient, index) => tf.add(gradient, onFake.gradients[index])),
    statistics: [drawing, onReal.statistics, onFake.statistics],
    measures: [tf.add(onReal.loss, onFake.loss), onReal.score, onFake.score],
  };
}

/** Computes the generator's phase on noise [batch, latent]: the non-saturating loss -log D(G(z)), D updated. */
export function generatorPhase(
  layout: ModelLayout,
  weights: Weights,
  noise: tf.Tensor2D,
  { augment }: DiscriminatorOptions = {},
): PhaseTensors {
  const { loss, extras, gradients } = valueAndGradients(weights.generator, (generator) => {
    const { images } = generate(layout.generator, generator, noise);
    const onFake = discriminate(
      layout.discriminator,
      weights.discriminator,
      augment ? augment(images) : images,
    );
    return {
      loss: binaryCrossEntropy(onFake.logits, 1),
      extras: [onFake.statistics, [meanScore(onFake.logits)]],
    };
  });
  const [onFake, scores] = extras;
  return { gradients, statistics: [onFake], measures: [loss, ...scores] };
}

/** Joins gradients, batch statistics and measures into one vector, as `phaseLayout` describes it. */
export function flattenPhase({ gradients, statistics, measures }: PhaseTensors): tf.Tensor1D {
  return flatten([...gradients, ...statistics.flat(), ...measures]);
}
