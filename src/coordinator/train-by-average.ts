import { euclideanNorm } from '../model/gradient-norm.js';
import { readMeasures, type Phase, type PhaseLayout } from '../model/phase.js';
import { NotFinite } from '../model/replica.js';
import type { PhaseOutcome } from './compute-group.js';

/** The two halves of a phase, where there are several shards. */
export interface Averager {
  /** The phase's vector, averaged over all shards (see `phaseLayout`). Overwritten by the phase's next one. */
  compute(phase: Phase, step: number): Promise<{ averaged: Float32Array; computeSeconds: number }>;
  /** Updates every replica. The next compute() sees it, whether or not this has resolved. */
  apply(phase: Phase, step: number, averaged: Float32Array): Promise<void>;
}

export async function trainByAverage<P extends Phase>(
  averager: Averager,
  { gradient }: PhaseLayout,
  phase: P,
  step: number,
): Promise<PhaseOutcome<P>> {
  const { averaged, computeSeconds } = await averager.compute(phase, step);
  const gradientNorm = euclideanNorm(averaged.subarray(gradient.start, gradient.end));
  if (!Number.isFinite(gradientNorm)) throw new NotFinite(phase, step);
  await averager.apply(phase, step, averaged);
  return { measures: readMeasures(phase, averaged), gradientNorm, computeSeconds };
}
