import * as tf from '@tensorflow/tfjs-core';
import { adam, type AdamOptions, type AdamState } from './adam.js';
import { IMAGE_CHANNELS, NETWORKS, type ModelOptions, type Network } from './architecture.js';
import { generate, generateFromRunningStatistics } from './generator.js';
import { modelLayout, type ModelLayout } from './layout.js';
import { phaseLayout, type Phase } from './phase.js';
import { discriminatorGradients, generatorGradients, type Weights } from './phases.js';
import { stateLayout, STATE_PARTS, type StateLayout, type StatePart } from './state.js';
import { unflatten } from './tensors.js';

/** Weight of the new batch in the running statistics; PyTorch's default. */
const MOMENTUM = 0.1;

type NetworkState = AdamState & { readonly runningStatistics: tf.Tensor1D };

/**
 * Both networks and both Adams as tensors, and the phases that read and change them. Every replica of a run holds
 * the same state, since all apply the same averaged gradients.
 */
export class Replica {
  readonly #layout: ModelLayout;
  readonly #stateLayout: StateLayout;
  #networks: Record<Network, NetworkState> | undefined;

  constructor(
    private readonly model: ModelOptions,
    private readonly optimizer: AdamOptions,
  ) {
    this.#layout = modelLayout(model);
    this.#stateLayout = stateLayout(this.#layout);
  }

  /** Takes over a whole state: see `stateLayout`. */
  restore(state: Float32Array): void {
    if (state.length !== this.#stateLayout.length)
      throw new Error(
        `a state of ${state.length} numbers does not fit networks of ${this.#stateLayout.length}`,
      );
    this.dispose();
    const network = (name: Network): NetworkState => {
      const spans = this.#stateLayout.spans[name];
      const part = ({ start, end }: { start: number; end: number }): tf.Tensor1D =>
        tf.tensor1d(state.slice(start, end));
      return {
        parameters: part(spans.parameters),
        firstMoment: part(spans.firstMoment),
        secondMoment: part(spans.secondMoment),
        runningStatistics: part(spans.runningStatistics),
      };
    };
    this.#networks = { discriminator: network('discriminator'), generator: network('generator') };
  }

  /** Copies the whole state out. */
  save(into: Float32Array): void {
    for (const network of NETWORKS)
      for (const part of STATE_PARTS)
        into.set(this.#state(network)[part].dataSync(), this.#stateLayout.spans[network][part].start);
  }

  /**
   * A phase's vector (see `phaseLayout`) on one shard. images [batch * size * size * 3], in [-1, 1], is read by the
   * discriminator's phase only; noise [batch * latent].
   */
  compute(phase: Phase, images: Float32Array | undefined, noise: Float32Array): Float32Array {
    const { latentSize, imageSize } = this.model;
    const batch = noise.length / latentSize;
    const vector = tf.tidy(() => {
      const z = tf.tensor2d(noise, [batch, latentSize]);
      const weights = this.#weights();
      switch (phase) {
        case 'discriminator': {
          if (!images) throw new Error('the discriminator phase needs images');
          const real = tf.tensor4d(images, [batch, imageSize, imageSize, IMAGE_CHANNELS]);
          return discriminatorGradients(this.#layout, weights, real, z);
        }
        case 'generator':
          return generatorGradients(this.#layout, weights, z);
      }
    });
    const values = vector.dataSync<'float32'>();
    vector.dispose();
    return values;
  }

  /** The update of `step` (counted from 1) from the vector averaged over all shards. */
  apply(phase: Phase, step: number, averaged: Float32Array): void {
    const layout = phaseLayout(phase, this.#layout);
    const cut = ({ start, end }: { start: number; end: number }): tf.Tensor1D =>
      tf.tensor1d(averaged.slice(start, end));
    const updated = tf.tidy(() => adam(this.#state(phase), cut(layout.gradient), step, this.optimizer));
    this.#replace(phase, updated);
    for (const { network, span } of layout.statistics) {
      const runningStatistics: tf.Tensor1D = tf.tidy(() =>
        tf.add(tf.mul(this.#state(network).runningStatistics, 1 - MOMENTUM), tf.mul(cut(span), MOMENTUM)),
      );
      this.#replace(network, { runningStatistics });
    }
  }

  /** Images drawn with the batch's own statistics, as the tutorial's progress pictures. [count * size * size * 3] */
  sample(noise: Float32Array): Float32Array {
    return this.#draw(noise, (parameters, z) => generate(this.#layout.generator, parameters, z).images);
  }

  /** Images drawn with the running statistics, each independent of the others in the batch. */
  generate(noise: Float32Array): Float32Array {
    return this.#draw(noise, (parameters, z) => {
      const statistics = unflatten(
        this.#state('generator').runningStatistics,
        this.#layout.generator.statistics,
      );
      return generateFromRunningStatistics(this.#layout.generator, parameters, statistics, z);
    });
  }

  dispose(): void {
    for (const network of NETWORKS) if (this.#networks) tf.dispose(this.#networks[network]);
    this.#networks = undefined;
  }

  #draw(
    noise: Float32Array,
    draw: (parameters: tf.Tensor[], noise: tf.Tensor2D) => tf.Tensor4D,
  ): Float32Array {
    const images = tf.tidy(() => {
      const z = tf.tensor2d(noise, [noise.length / this.model.latentSize, this.model.latentSize]);
      return draw(unflatten(this.#state('generator').parameters, this.#layout.generator.parameters), z);
    });
    const values = images.dataSync<'float32'>();
    images.dispose();
    return values;
  }

  #state(network: Network): NetworkState {
    if (!this.#networks) throw new Error('the replica has no state yet');
    return this.#networks[network];
  }

  #weights(): Weights {
    return {
      generator: this.#state('generator').parameters,
      discriminator: this.#state('discriminator').parameters,
    };
  }

  #replace(network: Network, changed: Partial<Record<StatePart, tf.Tensor1D>>): void {
    const before = this.#state(network);
    for (const part of STATE_PARTS) if (changed[part]) before[part].dispose();
    this.#networks = { ...this.#networks, [network]: { ...before, ...changed } } as Record<
      Network,
      NetworkState
    >;
  }
}
