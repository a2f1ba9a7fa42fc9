import type { Program, Recording } from '../engine/recording/index.js';
import { adamStep, type AdamOptions } from './adam.js';
import { modelLayout } from './layout.js';
import type { Phase } from './phase.js';
import { NotFinite, type Replica, type TrainedPhase } from './replica.js';
import { slotsWithin, stateLayout, stateParts, type StateLayout } from './state.js';
import {
  NOT_FINITE,
  recordStep,
  restoreCall,
  type StepCall,
  type SomeStepFeeds,
  type StepFeeds,
  type StepProgramOptions,
} from './step-program.js';

/** A replica whose state lies in a session, and whose phases are calls of it. */
export class RecordedReplica implements Replica {
  readonly #program: Program;
  readonly #optimizer: AdamOptions;
  readonly #state: StateLayout;
  /** What the images were drawn from that the discriminator's last phase left in the session, and which call it was. */
  #drawn: { readonly noise: Float32Array; readonly by: StepCall } | undefined;

  constructor(recording: Recording, options: StepProgramOptions) {
    this.#program = recordStep(recording, options);
    this.#optimizer = options.optimizer;
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
  }

  save(into: Float32Array, at = 0): void {
    const wanted = new Set(slotsWithin(this.#state, at, into.length));
    const { slots } = this.#state;
    this.#program.runEach('save', {}, (index, read) => {
      if (wanted.has(slots[index])) into.set(read(), slots[index].offset - at);
    });
  }

  compute(phase: Phase, images: Float32Array | undefined, noise: Float32Array): Float32Array {
    if (phase === 'discriminator')
      return this.#discriminator('discriminator.compute', noise, { real: images })[0];
    const isDrawn = this.#isDrawnFrom(noise, 'discriminator.compute');
    return this.#run(isDrawn ? 'generator.compute' : 'generator.computeAgain', { noise })[0];
  }

  apply(phase: Phase, step: number, averaged: Float32Array): void {
    this.#run(`${phase}.apply`, { averaged, ...this.#adam(step) });
    if (phase === 'generator') this.#drawn = undefined;
  }

  train(phase: Phase, step: number, images: Float32Array | undefined, noise: Float32Array): TrainedPhase {
    const results = this.#train(phase, step, images, noise);
    const scalars = Float32Array.from(results, ([scalar]) => scalar);
    return { measures: scalars.subarray(0, -1), gradientNorm: scalars[scalars.length - 1] };
  }

  sample(noise: Float32Array): Float32Array {
    return this.#run('sample', { sampleNoise: noise })[0];
  }

  dispose(): void {
    this.#program.dispose();
  }

  #train(phase: Phase, step: number, images: Float32Array | undefined, noise: Float32Array): Float32Array[] {
    const adam = this.#adam(step);
    try {
      if (phase === 'discriminator')
        return this.#discriminator('discriminator.train', noise, { real: images, ...adam });
      if (!this.#isDrawnFrom(noise, 'discriminator.train'))
        throw new Error("the generator's phase follows the discriminator's on the same noise");
      const results = this.#run('generator.train', { noise, ...adam });
      this.#drawn = undefined;
      return results;
    } catch (error) {
      if (error instanceof Error && error.message.includes(NOT_FINITE)) throw new NotFinite(phase, step);
      throw error;
    }
  }

  #discriminator(call: StepCall, noise: Float32Array, feeds: SomeStepFeeds): Float32Array[] {
    if (!feeds.real) throw new Error('the discriminator phase needs images');
    this.#drawn = undefined;
    const results = this.#run(call, { noise, ...feeds });
    this.#drawn = { noise: noise.slice(), by: call };
    return results;
  }

  /** Whether that call has left the images of this noise: the two halves and the whole keep theirs apart. */
  #isDrawnFrom(noise: Float32Array, by: StepCall): boolean {
    return this.#drawn?.by === by && this.#drawn.noise.every((value, index) => value === noise[index]);
  }

  #adam(step: number): Pick<StepFeeds, 'stepSize' | 'epsilon'> {
    const { stepSize, epsilon } = adamStep(step, this.#optimizer);
    return { stepSize: Float32Array.of(stepSize), epsilon: Float32Array.of(epsilon) };
  }

  #run(call: StepCall, feeds: SomeStepFeeds): Float32Array[] {
    const given = Object.entries(feeds).filter((entry): entry is [string, Float32Array] => !!entry[1]);
    return this.#program.run(call, Object.fromEntries(given));
  }
}
