import { meanArray, type MeanArray } from '../../../averaging/mean-array.js';
import { roundLayout, roundsOf, type RoundName } from '../../../model/round.js';
import type { TrainingOptions } from '../../../model/training-options.js';

/** The array that each round's vectors are summed in, and sent from, without a copy. */
export class AverageBuffers {
  readonly #arrays: Map<RoundName, MeanArray>;
  readonly #wire: TrainingOptions['wire'];
  /** Those whose array is on its way nowhere. */
  readonly #free: Set<RoundName>;
  /** Those whose array still has the average that was applied last. */
  readonly #kept = new Set<RoundName>();

  constructor(training: TrainingOptions) {
    const rounds = roundsOf(training);
    this.#wire = training.wire;
    this.#free = new Set(rounds);
    this.#arrays = new Map(
      rounds.map((round) => [round, meanArray(roundLayout(round, training).length, training.wire)]),
    );
  }

  /** The array that the round is summed in now; its last average for as long as that is kept. */
  current(phase: RoundName): MeanArray {
    const array = this.#arrays.get(phase);
    if (!array) throw new Error(`the run has no round ${phase}`);
    return array;
  }

  /**
   * Returns the array for the next sum of a phase: a new one after an abandoned round, since parts of the old array
   * may still be in transit and must not change.
   */
  next(phase: RoundName): MeanArray {
    const array = this.current(phase);
    if (this.#free.delete(phase)) return array;
    const next = meanArray(array.floats.length, this.#wire);
    this.#arrays.set(phase, next);
    this.#kept.delete(phase);
    return next;
  }

  /** A part of the next average is in the array. */
  overwritten(phase: RoundName): void {
    this.#kept.delete(phase);
  }

  /** Returns whether `current` still holds the last applied average. */
  keeps(phase: RoundName): boolean {
    return this.#kept.has(phase);
  }

  /** All workers were told to apply the average. The phase's next gradients are computed by those that have it. */
  applied(phase: RoundName): void {
    this.#free.add(phase);
    this.#kept.add(phase);
  }
}
