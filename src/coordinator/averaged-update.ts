import { readLocalStep } from '../model/local-layout.js';
import type { StepRange } from '../model/local-steps.js';
import { readMeasures, type Phase } from '../model/phase.js';
import type { RoundName } from '../model/round.js';
import type { LocalOutcome, PhaseOutcome } from './executor.js';
import { untilFinite, type NotFiniteElement } from './nonfinite-retry.js';

/** A round's vector, averaged over all shards (see `phaseLayout` and `localLayout`). */
export interface Average {
  /** An array that ends with them. Overwritten by the phase's next one. */
  readonly measures: Float32Array;
  /** Euclidean norm of its gradient, or of all of it after local steps; not finite where any element is not. */
  readonly gradientNorm: number;
  readonly computeSeconds: number;
  /** First non-finite element, if one was searched for and found. */
  readonly notFinite?: NotFiniteElement | undefined;
}

/** The two halves of a round, where there are several shards. Its step is the last one, where it has several. */
export interface Averager {
  /** `inspect`: the shards are searched for elements that are not finite. The same round may come again. */
  compute(round: RoundName, step: number, inspect: boolean, firstStep?: number): Promise<Average>;
  /** Updates every replica by that average. The next compute() sees it, whether or not this has resolved. */
  apply(round: RoundName, step: number): Promise<void>;
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

/** The same for steps that shards train on their own; `localSteps` is the most of a round. */
export async function trainLocally(
  averager: Averager,
  { first, last }: StepRange,
  localSteps: number,
): Promise<LocalOutcome> {
  return untilFinite('local', last, async (attempt) => {
    const average = await averager.compute('local', last, attempt > 1, first);
    const { measures, gradientNorm, computeSeconds, notFinite } = average;
    if (!Number.isFinite(gradientNorm)) return { notFinite };
    // Read before they are overwritten.
    const steps = Array.from({ length: last - first + 1 }, (_, index) =>
      readLocalStep(measures, first + index, localSteps),
    );
    await averager.apply('local', last);
    return { result: { steps, computeSeconds } };
  });
}
