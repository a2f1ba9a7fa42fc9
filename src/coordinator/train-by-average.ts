import { readMeasures, type Phase } from '../model/phase.js';
import { NotFinite } from '../model/replica.js';
import type { PhaseOutcome } from './compute-group.js';

/** A phase's vector, averaged over all shards (see `phaseLayout`). */
export interface Average {
  /** Overwritten by the phase's next one. */
  readonly vector: Float32Array;
  /** Euclidean norm of its gradient; not finite where any element is not. */
  readonly gradientNorm: number;
  readonly computeSeconds: number;
}

/** The two halves of a phase, where there are several shards. */
export interface Averager {
  compute(phase: Phase, step: number): Promise<Average>;
  /** Updates every replica by that average. The next compute() sees it, whether or not this has resolved. */
  apply(phase: Phase, step: number): Promise<void>;
}

export async function trainByAverage<P extends Phase>(
  averager: Averager,
  phase: P,
  step: number,
): Promise<PhaseOutcome<P>> {
  const { vector, gradientNorm, computeSeconds } = await averager.compute(phase, step);
  if (!Number.isFinite(gradientNorm)) throw new NotFinite(phase, step);
  await averager.apply(phase, step);
  return { measures: readMeasures(phase, vector), gradientNorm, computeSeconds };
}
