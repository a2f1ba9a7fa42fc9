import type * as tf from '@tensorflow/tfjs-core';
import type { Precision } from '../engine/engine.js';
import {
  Recording,
  type GraphNode,
  type Program,
  type Value,
  type Variable,
} from '../engine/recording/index.js';
import { BETA2, type AdamOptions } from './adam.js';
import { IMAGE_CHANNELS, type Network } from './architecture.js';
import { augment } from './augment.js';
import { DRAWS } from './augment-draws.js';
import { averagedSlot } from './average-slots.js';
import { generate } from './generator.js';
import { modelLayout, type ModelLayout } from './layout.js';
import { movingAverage } from './moving-average.js';
import { MEASURES, phaseLayout, PHASES, type Phase } from './phase.js';
import {
  sumRealAndFake,
  flattenPhase,
  generatorPhase,
  discriminatorGradients,
  type BatchGradients,
  type PhaseTensors,
  type DiscriminatorOptions,
} from './phases.js';
import { augmentationsOf, type StepOptions } from './regularization.js';
import { updateRunningStatistic } from './running-statistics.js';
import { stateLayout, type StatePart } from './state.js';
import { unflatten } from './tensors.js';

export interface StepGraphOptions {
  readonly model: StepOptions;
  readonly optimizer: AdamOptions;
  /** Images of a shard's step. */
  readonly batch: number;
  readonly precision: Precision;
  /** Images of a sample. */
  readonly samples: number;
}

/**
 * The calls of a step's program. `compute` and `apply` are a phase's two halves, with the average over all shards
 * between them; `train` is both at once. `discriminator.compute` takes over what `discriminator.computeRealBatch` has computed
 * on the real images, which needs nothing of the generator. `computeAgain` generates the images again; the other
 * calls of the generator's phase take them, and all that its gradient needs of them, over from the discriminator's phase
 * on the same shard. `save` fetches the whole state, tensor by tensor.
 */
export type StepCall =
  | `${Phase}.${'compute' | 'apply' | 'train'}`
  | 'discriminator.computeRealBatch'
  | 'generator.computeAgain'
  | 'sample'
  | 'save';

/** The call that sets one tensor of the state, by its name there, and is fed under that name. */
export const restoreCall = (name: string): string => `restore ${name}`;

/** Feeds of the step's calls. */
export interface StepFeeds {
  /** [batch, size, size, 3] */
  readonly real: Float32Array;
  /** [batch, latent] */
  readonly noise: Float32Array;
  /** The draws, see `shardDraws`, of each batch that the discriminator sees: in its own phase, and in the generator's. */
  readonly realDraws: Float32Array;
  readonly fakeDraws: Float32Array;
  readonly generatorDraws: Float32Array;
  /** See `phaseLayout`. */
  readonly averaged: Float32Array;
  /** See `adamStep`. */
  readonly stepSize: Float32Array;
  readonly epsilon: Float32Array;
  /** See `averageDecay`. */
  readonly averageDecay: Float32Array;
  /** [samples, latent] */
  readonly sampleNoise: Float32Array;
}

export type SomeStepFeeds = { readonly [Name in keyof StepFeeds]?: StepFeeds[Name] | undefined };

/** Part of the error of a failed `train` call if a gradient is not finite. */
export const NOT_FINITE = 'gradient that is not finite';

/**
 * Records a step as one program: both networks, both Adams and the running statistics are its variables. `compute`
 * fetches a phase's vector, `train` its measures and then the gradient's norm.
 */
export function recordStep(recording: Recording, options: StepGraphOptions): Program {
  new StepRecorder(recording, options).declareCalls();
  return recording.load(options.precision);
}

/** A phase as values of the graph. */
type PhaseValues = Readonly<Record<keyof PhaseTensors, readonly Value[]>> & {
  readonly vector: Value;
  readonly gradientNorm: Value;
};

class StepRecorder {
  readonly #layout: ModelLayout;
  readonly #state = new Map<string, Variable>();
  readonly #noise: Value;

  constructor(
    private readonly recording: Recording,
    private readonly options: StepGraphOptions,
  ) {
    const { model, batch } = options;
    this.#layout = modelLayout(model);
    for (const { name, shape } of stateLayout(this.#layout).slots)
      this.#state.set(name, recording.variable(name, shape));
    this.#noise = recording.input('noise', [batch, model.latentSize]);
  }

  declareCalls(): void {
    // The same reads for both phases: the generator's weights do not change between them.
    const generator = this.#read('generator');
    const discriminator = this.#read('discriminator');
    const onReal = this.#realBatchGradients(discriminator);
    const phases = {
      discriminator: this.#discriminatorPhase(generator, discriminator, onReal),
      generator: this.#generatorPhase(generator),
    };
    this.#declare('discriminator.computeRealBatch', { effects: onReal.map(({ node }) => node) });
    for (const phase of PHASES) {
      this.#declareHalves(phase, phases[phase]);
      this.#declareTraining(phase, phases[phase]);
    }
    this.#declare('generator.computeAgain', { fetches: [phases.generator.vector] });
    this.#declareSampling(generator);
    this.#declareState();
  }

  #realBatchGradients(discriminator: readonly Value[]): Value[] {
    const { batch, model } = this.options;
    const real = this.recording.input('real', [batch, model.imageSize, model.imageSize, IMAGE_CHANNELS]);
    return this.#recordBatchGradients(real, discriminator, 1, this.#drawsInput('realDraws'));
  }

  #discriminatorPhase(
    generator: readonly Value[],
    discriminator: readonly Value[],
    onReal: readonly Value[],
  ): PhaseValues {
    const [images, ...drawing] = this.#recordDrawing(this.#noise, generator);
    // Both at once would take the memory of both: the second batch waits until the first has its gradients.
    const later = this.recording.after(images, onReal);
    const onFake = this.#recordBatchGradients(later, discriminator, 0, this.#drawsInput('fakeDraws'));
    const parts = [drawing, onReal, onFake];
    const inputs = parts.flat();
    const cut = <Item>(all: readonly Item[]): Item[][] => {
      let next = 0;
      return parts.map(({ length }) => all.slice(next, (next += length)));
    };
    return this.#recordPhase('discriminator', inputs, (tensors) => {
      const [statistics, onReal, onFake] = cut(tensors);
      return sumRealAndFake(statistics, this.#batchGradientsOf(onReal), this.#batchGradientsOf(onFake));
    });
  }

  #recordBatchGradients(
    images: Value,
    discriminator: readonly Value[],
    label: 0 | 1,
    draws: readonly Value[],
  ): Value[] {
    return this.recording.record([images, ...draws, ...discriminator], (x, ...others) => {
      const options = {
        ...this.#discriminatorOptions(others.slice(0, draws.length)),
        r1: label === 1 ? this.options.model.r1 : undefined,
      };
      const batchGradients = discriminatorGradients(
        this.#layout,
        others.slice(draws.length),
        x as tf.Tensor4D,
        label,
        options,
      );
      return [
        ...batchGradients.gradients,
        batchGradients.loss,
        batchGradients.score,
        ...batchGradients.statistics,
      ];
    });
  }

  /** Restores what recordBatchGradients flattened. */
  #batchGradientsOf(tensors: readonly tf.Tensor[]): BatchGradients {
    const count = this.#layout.discriminator.parameters.length;
    const [loss, score, ...statistics] = tensors.slice(count);
    return { gradients: tensors.slice(0, count), loss, score, statistics };
  }

  #generatorPhase(generator: readonly Value[]): PhaseValues {
    const draws = this.#drawsInput('generatorDraws');
    const inputs = [this.#noise, ...draws, ...generator, ...this.#read('discriminator')];
    return this.#recordPhase('generator', inputs, ([noise, ...others]) => {
      const weights = this.#weightsOf(others.slice(draws.length));
      const options = this.#discriminatorOptions(others.slice(0, draws.length));
      return generatorPhase(this.#layout, weights, noise as tf.Tensor2D, options);
    });
  }

  /** The input of a batch's draws in a run with augmentations; none in one without. */
  #drawsInput(name: 'realDraws' | 'fakeDraws' | 'generatorDraws'): readonly Value[] {
    const { batch, model } = this.options;
    return model.augment === undefined ? [] : [this.recording.input(name, [batch, DRAWS.length])];
  }

  #discriminatorOptions(draws: readonly tf.Tensor[]): DiscriminatorOptions {
    const { augment: list } = this.options.model;
    if (list === undefined) return {};
    return { augment: (images) => augment(images, draws[0] as tf.Tensor2D, augmentationsOf(list)) };
  }

  /** The images, and their batch statistics. */
  #recordDrawing(noise: Value, generator: readonly Value[]): Value[] {
    return this.recording.record([noise, ...generator], (z, ...parameters) => {
      const { images, statistics } = generate(this.#layout.generator, parameters, z as tf.Tensor2D);
      return [images, ...statistics];
    });
  }

  #recordPhase(
    phase: Phase,
    inputs: readonly Value[],
    run: (inputs: readonly tf.Tensor[]) => PhaseTensors,
  ): PhaseValues {
    const values = this.recording.record(inputs, (...tensors) => {
      const result = run(tensors);
      return [...result.gradients, ...result.statistics.flat(), ...result.measures, flattenPhase(result)];
    });
    const { parameters } = this.#layout[phase];
    const measures = values.length - 1 - MEASURES[phase].length;
    const gradients = values.slice(0, parameters.length);
    return {
      gradients,
      statistics: values.slice(parameters.length, measures),
      measures: values.slice(measures, -1),
      vector: values[values.length - 1],
      gradientNorm: this.recording.norm(gradients),
    };
  }

  /** The phase's vector out, and its average in. */
  #declareHalves(phase: Phase, { vector }: PhaseValues): void {
    this.#declare(`${phase}.compute`, { fetches: [vector], ...this.#takingOver(phase, 'compute') });
    const { length, statistics } = phaseLayout(phase, this.#layout);
    const average = this.recording.input('averaged', [length]);
    const measures = MEASURES[phase].length;
    const slots = [
      ...this.#layout[phase].parameters,
      ...statistics.flatMap(({ network }) => this.#layout[network].statistics),
      { shape: [measures], size: measures },
    ];
    const cut = this.recording.record([average], (vector) => unflatten(vector as tf.Tensor1D, slots));
    const parameters = this.#layout[phase].parameters.length;
    const effects = this.#updates(phase, cut.slice(0, parameters), cut.slice(parameters, -1), []);
    this.#declare(`${phase}.apply`, { effects });
  }

  #declareTraining(phase: Phase, values: PhaseValues): void {
    const norm = this.recording.requireFinite(values.gradientNorm, NOT_FINITE);
    const effects = this.#updates(phase, values.gradients, values.statistics, [norm.node]);
    const fetches = [...values.measures, norm];
    this.#declare(`${phase}.train`, { fetches, effects, ...this.#takingOver(phase, 'train') });
  }

  #takingOver(phase: Phase, half: 'compute' | 'train'): { takesFrom?: StepCall } {
    if (phase === 'generator') return { takesFrom: `discriminator.${half}` };
    return half === 'compute' ? { takesFrom: 'discriminator.computeRealBatch' } : {};
  }

  /** Adam on the phase's network, and the running statistics of the forward passes that count. */
  #updates(
    phase: Phase,
    gradients: readonly Value[],
    statistics: readonly Value[],
    after: readonly GraphNode[],
  ): GraphNode[] {
    const { recording, options } = this;
    const scalars = {
      stepSize: this.#scalarInput('stepSize'),
      epsilon: this.#scalarInput('epsilon'),
      beta1: recording.scalar(options.optimizer.beta1),
      beta2: recording.scalar(BETA2),
    };
    const updates = this.#layout[phase].parameters.map(({ name }, index) => {
      const part = (of: StatePart): Variable => this.#variable(`${phase}.${of}.${name}`);
      const variables = {
        parameter: part('parameters'),
        firstMoment: part('firstMoment'),
        secondMoment: part('secondMoment'),
      };
      return recording.applyAdam(variables, gradients[index], scalars, after);
    });
    const averages = phase === 'generator' ? this.#averageUpdates(updates, after) : [];
    return [...updates, ...this.#statisticUpdates(phase, statistics, after), ...averages];
  }

  /**
   * The moving average of the generator, in a run that has one: of each parameter after its update, in the order of the
   * parameters, and of the running statistics, which the generator's phase does not change.
   */
  #averageUpdates(updates: readonly GraphNode[], after: readonly GraphNode[]): GraphNode[] {
    if (!this.#layout.hasAverage) return [];
    const decay = this.#scalarInput('averageDecay');
    const { parameters, statistics } = this.#layout.generator;
    return [...parameters, ...statistics].map(({ name }, index) => {
      const slot = `generator.average.${name}`;
      const average = this.#variable(slot);
      const newest = this.#variable(averagedSlot(slot) ?? slot).read(updates.slice(index, index + 1));
      const [moved] = this.recording.record([average.read(), newest, decay], (before, value, rate) => [
        movingAverage(before, value, rate as tf.Scalar),
      ]);
      return average.assign(moved, after);
    });
  }

  #statisticUpdates(phase: Phase, statistics: readonly Value[], after: readonly GraphNode[]): GraphNode[] {
    const running = new Map<Variable, Value>();
    let next = 0;
    for (const { network } of phaseLayout(phase, this.#layout).statistics)
      for (const { name } of this.#layout[network].statistics) {
        const variable = this.#variable(`${network}.runningStatistics.${name}`);
        const inputs = [running.get(variable) ?? variable.read(), statistics[next++]];
        const [updated] = this.recording.record(inputs, (before, batch) => [
          updateRunningStatistic(before, batch),
        ]);
        running.set(variable, updated);
      }
    return [...running].map(([variable, value]) => variable.assign(value, after));
  }

  #declareSampling(generator: readonly Value[]): void {
    const { samples, model } = this.options;
    const noise = this.recording.input('sampleNoise', [samples, model.latentSize]);
    const drawing = this.#layout.hasAverage ? this.#read('generator', 'average') : generator;
    const [images] = this.#recordDrawing(noise, drawing);
    this.#declare('sample', { fetches: [images] });
  }

  /** A call for each tensor into the session, since the large whole comes in parts; out in one, which shares its fetches. */
  #declareState(): void {
    this.#declare('save', { fetches: [...this.#state.values()].map((variable) => variable.read()) });
    for (const [name, variable] of this.#state) {
      const given = this.recording.input(name, variable.shape);
      this.recording.call({ name: restoreCall(name), effects: [variable.assign(given)] });
    }
  }

  #declare(
    name: StepCall,
    parts: { fetches?: readonly Value[]; effects?: readonly GraphNode[]; takesFrom?: StepCall },
  ): void {
    this.recording.call({ name, ...parts });
  }

  #read(network: Network, part: 'parameters' | 'average' = 'parameters'): Value[] {
    return this.#layout[network].parameters.map(({ name }) =>
      this.#variable(`${network}.${part}.${name}`).read(),
    );
  }

  #variable(name: string): Variable {
    const variable = this.#state.get(name);
    if (!variable) throw new Error(`the state has no ${name}`);
    return variable;
  }

  #scalarInput(name: 'stepSize' | 'epsilon' | 'averageDecay'): Value {
    return this.recording.input(name, []);
  }

  /** Tensors of the generator's parameters, then of the discriminator's. */
  #weightsOf(parameters: readonly tf.Tensor[]): { generator: tf.Tensor[]; discriminator: tf.Tensor[] } {
    const count = this.#layout.generator.parameters.length;
    return { generator: parameters.slice(0, count), discriminator: parameters.slice(count) };
  }
}
