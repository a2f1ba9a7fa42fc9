import { tf } from '../engine/tensorflow.js';
import { adam, type AdamOptions, type AdamState } from './adam.js';
import { IMAGE_CHANNELS, NETWORKS, type Network } from './architecture.js';
import { augment } from './augment.js';
import { DRAWS } from './augment-draws.js';
import { isSameNoise, requireImages } from './batch-inputs.js';
import { euclideanNorm } from './gradient-norm.js';
import { generate, generateFromRunningStatistics } from './generator.js';
import { modelLayout, type ModelLayout } from './layout.js';
import { averageDecay, movingAverage } from './moving-average.js';
import { phaseLayout, type Phase, type Span } from './phase.js';
import {
  discriminatorPhase,
  flattenPhase,
  generatorPhase,
  discriminatorGradients,
  type BatchGradients,
  type PhaseTensors,
  type DiscriminatorOptions,
  type Weights,
} from './phases.js';
import { augmentationsOf, type StepOptions } from './regularization.js';
import { NotFinite, type Replica, type TrainedPhase } from './replica.js';
import { updateRunningStatistic } from './running-statistics.js';
import { slotsWithin, stateLayout, STATE_PARTS, type StateLayout, type StatePart } from './state.js';
import { unflatten } from './tensors.js';

type NetworkState = AdamState & { readonly runningStatistics: tf.Tensor1D };

/** Weights for samples and generated faces: the moving average if the run has one, otherwise the newest. */
interface DrawingWeights {
  readonly parameters: tf.Tensor[];
  readonly statistics: tf.Tensor[];
}

/** A replica whose state is tensors, on which TensorFlow.js computes one operation after the other. */
export class EagerReplica implements Replica {
  readonly #layout: ModelLayout;
  readonly #stateLayout: StateLayout;
  #networks: Record<Network, NetworkState> | undefined;
  /** Moving averages of the generator's parameters and running statistics; undefined without --ema. */
  #average: tf.Tensor1D | undefined;
  /** Gradients of the real half of the batch with this noise, for the current weights of the discriminator. */
  #realBatch: { readonly noise: Float32Array; readonly batchGradients: BatchGradients } | undefined;
  /** Parts of a state that is not complete yet. */
  #given: { readonly state: Float32Array; missing: number } | undefined;

  constructor(
    private readonly model: StepOptions,
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
    const part = ({ start, end }: Span): tf.Tensor1D => tf.tensor1d(given.state.slice(start, end), 'float32');
    const network = (name: Network): NetworkState => {
      const spans = this.#stateLayout.spans[name];
      return {
        parameters: part(spans.parameters),
        firstMoment: part(spans.firstMoment),
        secondMoment: part(spans.secondMoment),
        runningStatistics: part(spans.runningStatistics),
      };
    };
    this.#networks = { discriminator: network('discriminator'), generator: network('generator') };
    if (this.#layout.hasAverage) this.#average = part(this.#stateLayout.average);
  }

  save(into: Float32Array, at = 0): void {
    for (const { name, offset, size } of slotsWithin(this.#stateLayout, at, into.length)) {
      const [network, part] = name.split('.') as [Network, StatePart | 'average'];
      const { average, spans } = this.#stateLayout;
      const start = offset - (part === 'average' ? average : spans[network][part]).start;
      const vector = part === 'average' ? this.#requireAverage() : this.#state(network)[part];
      const tensor = tf.tidy(() => tf.slice(vector, start, size));
      into.set(tensor.dataSync(), offset - at);
      tensor.dispose();
    }
  }

  computeRealBatch(images: Float32Array, noise: Float32Array, draws?: Float32Array): void {
    this.#forgetLesson();
    const batch = noise.length / this.model.latentSize;
    const { imageSize, r1 } = this.model;
    const batchGradients = tf.tidy(() => {
      const real = tf.tensor4d(images, [batch, imageSize, imageSize, IMAGE_CHANNELS]);
      const options = { ...this.#discriminatorOptions(draws, 0, batch), r1 };
      const batchGradients = discriminatorGradients(
        this.#layout,
        this.#parameters('discriminator'),
        real,
        1,
        options,
      );
      for (const tensor of tensorsOf(batchGradients)) tf.keep(tensor);
      const { gradients, statistics, loss, score } = batchGradients;
      return { gradients: [...gradients], statistics: [...statistics], loss, score };
    });
    this.#realBatch = { noise: noise.slice(), batchGradients };
  }

  compute(
    phase: Phase,
    images: Float32Array | undefined,
    noise: Float32Array,
    draws?: Float32Array,
  ): Float32Array {
    const { latentSize } = this.model;
    const batch = noise.length / latentSize;
    if (phase === 'discriminator' && !isSameNoise(this.#realBatch?.noise, noise))
      this.computeRealBatch(requireImages(images), noise, draws);
    const vector = tf.tidy(() =>
      flattenPhase(this.#run(phase, tf.tensor2d(noise, [batch, latentSize]), draws)),
    );
    if (phase === 'discriminator') this.#forgetLesson();
    const values = vector.dataSync<'float32'>();
    vector.dispose();
    return values;
  }

  apply(phase: Phase, step: number, averaged: Float32Array): void {
    const layout = phaseLayout(phase, this.#layout);
    const tensor = (span: Span): tf.Tensor1D => tf.tensor1d(cut(averaged, span).slice());
    const updated = tf.tidy(() => adam(this.#state(phase), tensor(layout.gradient), step, this.optimizer));
    this.#replace(phase, updated);
    if (phase === 'discriminator') this.#forgetLesson();
    for (const { network, span } of layout.statistics) {
      const runningStatistics: tf.Tensor1D = tf.tidy(() =>
        updateRunningStatistic(this.#state(network).runningStatistics, tensor(span)),
      );
      this.#replace(network, { runningStatistics });
    }
    if (phase === 'generator') this.#moveAverage(step);
  }

  train(
    phase: Phase,
    step: number,
    images: Float32Array | undefined,
    noise: Float32Array,
    draws?: Float32Array,
  ): TrainedPhase {
    const vector = this.compute(phase, images, noise, draws);
    const { gradient, measures } = phaseLayout(phase, this.#layout);
    const gradientNorm = euclideanNorm(cut(vector, gradient));
    if (!Number.isFinite(gradientNorm)) throw new NotFinite(phase, step);
    this.apply(phase, step, vector);
    return { measures: cut(vector, measures), gradientNorm };
  }

  sample(noise: Float32Array): Float32Array {
    return this.#draw(noise, ({ parameters }, z) => generate(this.#layout.generator, parameters, z).images);
  }

  /** Images drawn with the running statistics, each independent of the others in the batch. */
  generate(noise: Float32Array): Float32Array {
    return this.#draw(noise, ({ parameters, statistics }, z) =>
      generateFromRunningStatistics(this.#layout.generator, parameters, statistics, z),
    );
  }

  dispose(): void {
    this.#forgetLesson();
    for (const network of NETWORKS) if (this.#networks) tf.dispose(this.#networks[network]);
    this.#networks = undefined;
    this.#average?.dispose();
    this.#average = undefined;
  }

  #draw(
    noise: Float32Array,
    draw: (weights: DrawingWeights, noise: tf.Tensor2D) => tf.Tensor4D,
  ): Float32Array {
    const images = tf.tidy(() => {
      const z = tf.tensor2d(noise, [noise.length / this.model.latentSize, this.model.latentSize]);
      return draw(this.#drawingWeights(), z);
    });
    const values = images.dataSync<'float32'>();
    images.dispose();
    return values;
  }

  #drawingWeights(): DrawingWeights {
    const { parameters, statistics } = this.#layout.generator;
    const { parameters: newest, runningStatistics } = this.#state('generator');
    if (!this.#average)
      return {
        parameters: unflatten(newest, parameters),
        statistics: unflatten(runningStatistics, statistics),
      };
    const tensors = unflatten(this.#average, [...parameters, ...statistics]);
    return {
      parameters: tensors.slice(0, parameters.length),
      statistics: tensors.slice(parameters.length),
    };
  }

  #moveAverage(step: number): void {
    const { ema } = this.model;
    if (ema === undefined) return;
    const before = this.#requireAverage();
    const { parameters, runningStatistics } = this.#state('generator');
    this.#average = tf.tidy(() => {
      const newest = tf.concat1d([parameters, runningStatistics]);
      return movingAverage(before, newest, tf.scalar(averageDecay(ema, step)));
    });
    before.dispose();
  }

  #requireAverage(): tf.Tensor1D {
    if (!this.#average) throw new Error('the replica has no average yet');
    return this.#average;
  }

  #state(network: Network): NetworkState {
    if (!this.#networks) throw new Error('the replica has no state yet');
    return this.#networks[network];
  }

  #forgetLesson(): void {
    if (this.#realBatch) tf.dispose(tensorsOf(this.#realBatch.batchGradients));
    this.#realBatch = undefined;
  }

  #run(phase: Phase, noise: tf.Tensor2D, draws: Float32Array | undefined): PhaseTensors {
    const batch = noise.shape[0];
    const weights: Weights = {
      generator: this.#parameters('generator'),
      discriminator: this.#parameters('discriminator'),
    };
    switch (phase) {
      case 'discriminator': {
        if (!this.#realBatch) throw new Error('the real images come first');
        return discriminatorPhase(
          this.#layout,
          weights,
          this.#realBatch.batchGradients,
          noise,
          this.#discriminatorOptions(draws, 1, batch),
        );
      }
      case 'generator':
        return generatorPhase(this.#layout, weights, noise, this.#discriminatorOptions(draws, 0, batch));
    }
  }

  /** Returns the discriminator's options for the batch of this number in a phase. */
  #discriminatorOptions(
    draws: Float32Array | undefined,
    number: number,
    batch: number,
  ): DiscriminatorOptions {
    const { augment: list } = this.model;
    if (list === undefined) return {};
    if (!draws) throw new Error('the phase needs draws');
    const length = batch * DRAWS.length;
    const own = tf.tensor2d(draws.slice(number * length, (number + 1) * length), [batch, DRAWS.length]);
    return { augment: (images) => augment(images, own, augmentationsOf(list)) };
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

function tensorsOf({ gradients, statistics, loss, score }: BatchGradients): tf.Tensor[] {
  return [...gradients, ...statistics, loss, score];
}

function cut(vector: Float32Array, { start, end }: Span): Float32Array {
  return vector.subarray(start, end);
}
