import type { Phase } from './phase.js';

/** Result of training a phase on a single shard. */
export interface TrainedPhase {
  /** See `MEASURES`. */
  readonly measures: Float32Array;
  /** Euclidean norm of the gradient. */
  readonly gradientNorm: number;
}

/** A gradient with an element that is no number: the update was not made. */
export class NotFinite extends Error {
  override readonly name = 'NotFinite';

  constructor(phase: Phase, step: number) {
    super(`the ${phase}'s gradient is not finite at step ${step}`);
  }
}

/**
 * Both networks and both Adams on a device, and the phases that read and change them. Every replica of a run holds
 * the same state, since all apply the same averaged gradients.
 */
export interface Replica {
  /**
   * Takes over a state (see `stateLayout`), or a part of one: whole tensors from element `at` on. All parts have to
   * come before the first phase.
   */
  restore(state: Float32Array, at?: number): void;

  /** Copies out the state, or a part of it: whole tensors from element `at` on. */
  save(into: Float32Array, at?: number): void;

  /**
   * Computes the part of the discriminator's phase that does not depend on the generator. The noise identifies the batch.
   * If that phase is computed next with the same weights, it reuses the result; otherwise this call has no effect.
   */
  computeRealBatch(images: Float32Array, noise: Float32Array, draws?: Float32Array): void;

  /**
   * A phase's vector (see `phaseLayout`) on one shard. images [batch * size * size * 3], in [-1, 1], is read by the
   * discriminator's phase only; noise [batch * latent]; draws, see `shardDraws`, is read in a run with augmentations
   * only.
   */
  compute(
    phase: Phase,
    images: Float32Array | undefined,
    noise: Float32Array,
    draws?: Float32Array,
  ): Float32Array;

  /** The update of `step` (counted from 1) from the vector averaged over all shards. */
  apply(phase: Phase, step: number, averaged: Float32Array): void;

  /** Both at once, where there is but one shard. Throws NotFinite. */
  train(
    phase: Phase,
    step: number,
    images: Float32Array | undefined,
    noise: Float32Array,
    draws?: Float32Array,
  ): TrainedPhase;

  /** SAMPLE_COUNT images, drawn with the batch's own statistics as the tutorial's progress pictures. */
  sample(noise: Float32Array): Float32Array;

  dispose(): void;
}
