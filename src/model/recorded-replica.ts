import type { Program, Recording } from '../engine/recording/index.js';
import { adamStep, type AdamOptions } from './adam.js';
import { isSameNoise, requireImages } from './batch-inputs.js';
import { modelLayout } from './layout.js';
import { averageDecay } from './moving-average.js';
import type { Phase } from './phase.js';
import { NotFinite, type Replica, type TrainedPhase } from './replica.js';
import { slotsWithin, stateLayout, stateParts, type StateLayout } from './state.js';
import {
  NOT_FINITE,
  recordStep,
  restoreCall,
  type StepCall,
  type SomeStepFeeds,
  type StepGraphOptions,
} from './step-graph.js';

/** A replica whose state lies in a session, and whose phases are calls of it. */
export class RecordedReplica implements Replica {
  readonly #program: Program;
  readonly #optimizer: AdamOptions;
  readonly #ema: number | undefined;
  readonly #state: StateLayout;
  /** Noise of the images that the discriminator's last phase left in the session, and the call that did so. */
  #drawn: { readonly noise: Float32Array; readonly by: StepCall } | undefined;
  /** Noise of the batch whose real half was computed with the current weights of the discriminator. */
  #realBatch: Float32Array | undefined;

  constructor(recording: Recording, options: StepGraphOptions) {
    this.#program = recordStep(recording, options);
    this.#optimizer = options.optimizer;
    this.#ema = options.model.ema;
    this.#state = stateLayout(modelLayout(options.model));
  }

  restore(state: Float32Array, at = 0): void {
    const given = slotsWithin(this.#state, at, state.length);
    for (const { start, end } of stateParts({ slots: given })) {
      const part = slotsWithin(this.#state, start, end - start);
      const feeds = part.map(({ name, offset, size }) => {
        const from = offset - at;
        return [name, state.subarray(from, from + size)] as const;
      });
      const calls = part.map(({ name }) => restoreCall(name));
      this.#program.runTogether(calls, Object.fromEntries(feeds));
    }
    this.#drawn = undefined;
    this.#realBatch = undefined;
  }

  save(into: Float32Array, at = 0): void {
    const wanted = new Set(slotsWithin(this.#state, at, into.length));
    const { slots } = this.#state;
    this.#program.runEach('save', {}, (index, read) => {
      if (wanted.has(slots[index])) into.set(read(), slots[index].offset - at);
    });
  }

  computeRealBatch(images: Float32Array, noise: Float32Array, draws?: Float32Array): void {
    this.#realBatch = undefined;
    this.#run('discriminator.computeRealBatch', { real: images, ...halves(draws) });
    this.#realBatch = noise.slice();
  }

  compute(
    phase: Phase,
    images: Float32Array | undefined,
    noise: Float32Array,
    draws?: Float32Array,
  ): Float32Array {
    if (phase === 'discriminator') {
      if (!isSameNoise(this.#realBatch, noise)) this.computeRealBatch(requireImages(images), noise, draws);
      this.#realBatch = undefined;
      return this.#discriminator('discriminator.compute', noise, halves(draws))[0];
    }
    const isDrawn = this.#isDrawnFrom(noise, 'discriminator.compute');
    const call = isDrawn ? 'generator.compute' : 'generator.computeAgain';
    return this.#run(call, { noise, generatorDraws: draws })[0];
  }

  apply(phase: Phase, step: number, averaged: Float32Array): void {
    this.#run(`${phase}.apply`, { averaged, ...this.#scalars(phase, step) });
    if (phase === 'generator') this.#drawn = undefined;
    else this.#realBatch = undefined;
  }

  train(
    phase: Phase,
    step: number,
    images: Float32Array | undefined,
    noise: Float32Array,
    draws?: Float32Array,
  ): TrainedPhase {
    const results = this.#train(phase, step, images, noise, draws);
    const scalars = Float32Array.from(results, ([scalar]) => scalar);
    return { measures: scalars.subarray(0, -1), gradientNorm: scalars[scalars.length - 1] };
  }

  sample(noise: Float32Array): Float32Array {
    return this.#run('sample', { sampleNoise: noise })[0];
  }

  dispose(): void {
    this.#program.dispose();
  }

  #train(
    phase: Phase,
    step: number,
    images: Float32Array | undefined,
    noise: Float32Array,
    draws: Float32Array | undefined,
  ): Float32Array[] {
    const scalars = this.#scalars(phase, step);
    try {
      if (phase === 'discriminator') {
        this.#realBatch = undefined;
        return this.#discriminator('discriminator.train', noise, {
          real: requireImages(images),
          ...halves(draws),
          ...scalars,
        });
      }
      if (!this.#isDrawnFrom(noise, 'discriminator.train'))
        throw new Error("the generator's phase follows the discriminator's on the same noise");
      const results = this.#run('generator.train', { noise, generatorDraws: draws, ...scalars });
      this.#drawn = undefined;
      return results;
    } catch (error) {
      if (error instanceof Error && error.message.includes(NOT_FINITE)) throw new NotFinite(phase, step);
      throw error;
    }
  }

  #discriminator(call: StepCall, noise: Float32Array, feeds: SomeStepFeeds): Float32Array[] {
    this.#drawn = undefined;
    const results = this.#run(call, { noise, ...feeds });
    this.#drawn = { noise: noise.slice(), by: call };
    return results;
  }

  /** Returns whether that call has left the images of this noise: the two halves and the whole keep theirs apart. */
  #isDrawnFrom(noise: Float32Array, by: StepCall): boolean {
    return this.#drawn?.by === by && isSameNoise(this.#drawn.noise, noise);
  }

  /** Returns the feeds of a step's updates. */
  #scalars(phase: Phase, step: number): SomeStepFeeds {
    const { stepSize, epsilon } = adamStep(step, this.#optimizer);
    const adam = { stepSize: Float32Array.of(stepSize), epsilon: Float32Array.of(epsilon) };
    if (phase === 'discriminator' || this.#ema === undefined) return adam;
    return { ...adam, averageDecay: Float32Array.of(averageDecay(this.#ema, step)) };
  }

  #run(call: StepCall, feeds: SomeStepFeeds): Float32Array[] {
    const given = Object.entries(feeds).filter((entry): entry is [string, Float32Array] => !!entry[1]);
    return this.#program.run(call, Object.fromEntries(given));
  }
}

/** The discriminator's draws: of the real images, then of the generated ones. */
function halves(draws: Float32Array | undefined): SomeStepFeeds {
  if (!draws) return {};
  const { length } = draws;
  return { realDraws: draws.subarray(0, length / 2), fakeDraws: draws.subarray(length / 2) };
}
