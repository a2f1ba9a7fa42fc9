import { readMeasures, type Phase } from '../model/phase.js';
import type { PhaseOutcome } from './compute-group.js';
import { untilFinite, type NotFiniteElement } from './until-finite.js';

/** What a phase's vector, averaged over all shards, says of the phase (see `phaseLayout`). */
export interface Average {
  /** An array that ends with them. Overwritten by the phase's next one. */
  readonly measures: Float32Array;
  /** Euclidean norm of its gradient; not finite where any element is not. */
  readonly gradientNorm: number;
  readonly computeSeconds: number;
  /** Where it was looked for and found. */
  readonly notFinite?: NotFiniteElement | undefined;
}

/** The two halves of a phase, where there are several shards. */
export interface Averager {
  /** `inspect`: the shards are searched for elements that are not finite. The same phase and step may come again. */
  compute(phase: Phase, step: number, inspect: boolean): Promise<Average>;
  /** Updates every replica by that average. The next compute() sees it, whether or not this has resolved. */
  apply(phase: Phase, step: number): Promise<void>;
}

/** Rejects with NeverFinite, and then has updated no replica. */
export async function trainByAverage<P extends Phase>(
  averager: Averager,
  phase: P,
  step: number,
): Promise<PhaseOutcome<P>> {
  return untilFinite(phase, step, async (attempt) => {
    const { measures, gradientNorm, computeSeconds, notFinite } = await averager.compute(
      phase,
      step,
      attempt > 1,
    );
    if (!Number.isFinite(gradientNorm)) return { notFinite };
    await averager.apply(phase, step);
    return { result: { measures: readMeasures(phase, measures), gradientNorm, computeSeconds } };
  });
}
