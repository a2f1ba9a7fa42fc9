import { meanArray, type MeanArray } from '../../averaging/mean-array.js';
import { modelLayout } from '../../model/layout.js';
import { PHASES, phaseLayout, type Phase } from '../../model/phase.js';
import type { TrainingOptions } from '../../model/training-options.js';

/** The array that each phase's vectors are summed in, and sent from, without a copy. */
export class Averages {
  readonly #arrays: Map<Phase, MeanArray>;
  readonly #wire: TrainingOptions['wire'];
  /** Phases whose array is on its way nowhere. */
  readonly #free = new Set<Phase>(PHASES);

  constructor(training: TrainingOptions) {
    const layout = modelLayout(training);
    this.#wire = training.wire;
    this.#arrays = new Map(
      PHASES.map((phase) => [phase, meanArray(phaseLayout(phase, layout).length, training.wire)]),
    );
  }

  /** The array that the phase is summed in now; its last average until the next one begins. */
  current(phase: Phase): MeanArray {
    const array = this.#arrays.get(phase);
    if (!array) throw new Error(`there is no phase ${phase}`);
    return array;
  }

  /**
   * The array for the next sum of a phase. After a round that was given up it is a new one: parts of the old one may
   * still be on their way, and must stay as they are.
   */
  next(phase: Phase): MeanArray {
    const array = this.current(phase);
    const next = this.#free.delete(phase) ? array : meanArray(array.floats.length, this.#wire);
    this.#arrays.set(phase, next);
    return next;
  }

  /** All workers were told to apply the average. The phase's next gradients are computed by those that have it. */
  applied(phase: Phase): void {
    this.#free.add(phase);
  }
}
