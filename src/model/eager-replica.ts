import { tf } from '../engine/tensorflow.js';
import { adam, type AdamOptions, type AdamState } from './adam.js';
import { IMAGE_CHANNELS, NETWORKS, type ModelOptions, type Network } from './architecture.js';
import { euclideanNorm } from './gradient-norm.js';
import { generate, generateFromRunningStatistics } from './generator.js';
import { modelLayout, type ModelLayout } from './layout.js';
import { phaseLayout, type Phase, type Span } from './phase.js';
import {
  discriminatorPhase,
  flattenPhase,
  generatorPhase,
  type PhaseTensors,
  type Weights,
} from './phases.js';
import { NotFinite, type Replica, type TrainedPhase } from './replica.js';
import { updateRunningStatistic } from './running-statistics.js';
import { slotsWithin, stateLayout, STATE_PARTS, type StateLayout, type StatePart } from './state.js';
import { unflatten } from './tensors.js';

type NetworkState = AdamState & { readonly runningStatistics: tf.Tensor1D };

/** A replica whose state is tensors, on which TensorFlow.js computes one operation after the other. */
export class EagerReplica implements Replica {
  readonly #layout: ModelLayout;
  readonly #stateLayout: StateLayout;
  #networks: Record<Network, NetworkState> | undefined;
  /** Parts of a state that is not complete yet. */
  #given: { readonly state: Float32Array; missing: number } | undefined;

  constructor(
    private readonly model: ModelOptions,
    private readonly optimizer: AdamOptions,
  ) {
    this.#layout = modelLayout(model);
    this.#stateLayout = stateLayout(this.#layout);
  }

  restore(state: Float32Array, at = 0): void {
    slotsWithin(this.#stateLayout, at, state.length);
    this.#given ??= { state: new Float32Array(this.#stateLayout.length), missing: this.#stateLayout.length };
    const given = this.#given;
    given.state.set(state, at);
    given.missing -= state.length;
    if (given.missing > 0) return;
    this.#given = undefined;
    this.dispose();
    const network = (name: Network): NetworkState => {
      const spans = this.#stateLayout.spans[name];
      const part = ({ start, end }: Span): tf.Tensor1D => tf.tensor1d(given.state.slice(start, end));
      return {
        parameters: part(spans.parameters),
        firstMoment: part(spans.firstMoment),
        secondMoment: part(spans.secondMoment),
        runningStatistics: part(spans.runningStatistics),
      };
    };
    this.#networks = { discriminator: network('discriminator'), generator: network('generator') };
  }

  save(into: Float32Array, at = 0): void {
    for (const { name, offset, size } of slotsWithin(this.#stateLayout, at, into.length)) {
      const [network, part] = name.split('.') as [Network, StatePart];
      const start = offset - this.#stateLayout.spans[network][part].start;
      const tensor = tf.tidy(() => tf.slice(this.#state(network)[part], start, size));
      into.set(tensor.dataSync(), offset - at);
      tensor.dispose();
    }
  }

  compute(phase: Phase, images: Float32Array | undefined, noise: Float32Array): Float32Array {
    const { latentSize } = this.model;
    const batch = noise.length / latentSize;
    const vector = tf.tidy(() =>
      flattenPhase(this.#run(phase, images, tf.tensor2d(noise, [batch, latentSize]))),
    );
    const values = vector.dataSync<'float32'>();
    vector.dispose();
    return values;
  }

  apply(phase: Phase, step: number, averaged: Float32Array): void {
    const layout = phaseLayout(phase, this.#layout);
    const tensor = (span: Span): tf.Tensor1D => tf.tensor1d(cut(averaged, span).slice());
    const updated = tf.tidy(() => adam(this.#state(phase), tensor(layout.gradient), step, this.optimizer));
    this.#replace(phase, updated);
    for (const { network, span } of layout.statistics) {
      const runningStatistics: tf.Tensor1D = tf.tidy(() =>
        updateRunningStatistic(this.#state(network).runningStatistics, tensor(span)),
      );
      this.#replace(network, { runningStatistics });
    }
  }

  train(phase: Phase, step: number, images: Float32Array | undefined, noise: Float32Array): TrainedPhase {
    const vector = this.compute(phase, images, noise);
    const { gradient, measures } = phaseLayout(phase, this.#layout);
    const gradientNorm = euclideanNorm(cut(vector, gradient));
    if (!Number.isFinite(gradientNorm)) throw new NotFinite(phase, step);
    this.apply(phase, step, vector);
    return { measures: cut(vector, measures), gradientNorm };
  }

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
      return draw(this.#parameters('generator'), z);
    });
    const values = images.dataSync<'float32'>();
    images.dispose();
    return values;
  }

  #state(network: Network): NetworkState {
    if (!this.#networks) throw new Error('the replica has no state yet');
    return this.#networks[network];
  }

  #run(phase: Phase, images: Float32Array | undefined, noise: tf.Tensor2D): PhaseTensors {
    const { imageSize } = this.model;
    const weights: Weights = {
      generator: this.#parameters('generator'),
      discriminator: this.#parameters('discriminator'),
    };
    switch (phase) {
      case 'discriminator': {
        if (!images) throw new Error('the discriminator phase needs images');
        const real = tf.tensor4d(images, [noise.shape[0], imageSize, imageSize, IMAGE_CHANNELS]);
        return discriminatorPhase(this.#layout, weights, real, noise);
      }
      case 'generator':
        return generatorPhase(this.#layout, weights, noise);
    }
  }

  #parameters(network: Network): tf.Tensor[] {
    return unflatten(this.#state(network).parameters, this.#layout[network].parameters);
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

function cut(vector: Float32Array, { start, end }: Span): Float32Array {
  return vector.subarray(start, end);
}
