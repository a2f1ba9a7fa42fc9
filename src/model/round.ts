import { modelLayout } from './layout.js';
import { localLayout, localMeasures } from './local-layout.js';
import type { StepRange } from './local-steps.js';
import { MEASURES, PHASES, phaseLayout, updateAt, updateNumber, type Phase } from './phase.js';
import type { TrainingOptions } from './training-options.js';

/** A round averages one vector over the shards: that of a phase or, with local steps, the shards' states. */
export type RoundName = Phase | 'local';

type LocalOption = Pick<TrainingOptions, 'localSteps'>;

/** The rounds that follow each other in a run. */
export function roundsOf({ localSteps }: LocalOption): readonly RoundName[] {
  return localSteps === undefined ? PHASES : ['local'];
}

/** The number of the first update of a round that begins with this step: the version of the state that it needs. */
export function firstUpdate(round: RoundName, firstStep: number): number {
  return updateNumber(round === 'local' ? 'discriminator' : round, firstStep);
}

/** The number of the last update of a round: the step is that of its phase, or the last of its steps. */
export function lastUpdate(round: RoundName, step: number): number {
  return updateNumber(round === 'local' ? 'generator' : round, step);
}

/** The round that an update was the last of. */
export function roundAt(
  update: number,
  { localSteps }: LocalOption,
): { readonly phase: RoundName; readonly step: number } {
  const { phase, step } = updateAt(update);
  return { phase: localSteps === undefined ? phase : 'local', step };
}

/** The vector of a shard, and of the mean. */
export interface RoundLayout {
  readonly length: number;
  /** End of the part whose norm shows whether the mean can be applied. */
  readonly normEnd: number;
  /** Count of measures at its end. */
  readonly measures: number;
}

export function roundLayout(round: RoundName, training: TrainingOptions): RoundLayout {
  const model = modelLayout(training);
  if (round === 'local') {
    const { localSteps = 1 } = training;
    const { length } = localLayout(model, localSteps);
    return { length, normEnd: length, measures: localMeasures(localSteps) };
  }
  const { length, gradient } = phaseLayout(round, model);
  return { length, normEnd: gradient.end, measures: MEASURES[round].length };
}

/** Bytes of the longest round vector of the run, in float32. */
export function vectorBytes(training: TrainingOptions): number {
  const lengths = roundsOf(training).map((round) => roundLayout(round, training).length);
  return Math.max(...lengths) * Float32Array.BYTES_PER_ELEMENT;
}

/**
 * Returns the last step of the round that starts with `step`. Rounds end at multiples of `localSteps` and at the end
 * of the run, so a resumed run has the same rounds.
 */
export function lastOfRound(step: number, lastStep: number, { localSteps = 1 }: LocalOption): number {
  return Math.min(Math.ceil(step / localSteps) * localSteps, lastStep);
}

/** The steps of the round that ends with this one. */
export function roundUpTo(step: number, { localSteps = 1 }: LocalOption): StepRange {
  return { first: step - ((step - 1) % localSteps), last: step };
}
