import { modelLayout } from './layout.js';
import { localLayout, localMeasures } from './local-layout.js';
import type { StepRange } from './local-steps.js';
import { MEASURES, PHASES, phaseLayout, updateAt, updateNumber, type Phase } from './phase.js';
import type { TrainingOptions } from './training-options.js';

/**
 * What is averaged over the shards at once: what a phase computes or, in a run with local steps, the states that the
 * shards have come to in steps of their own.
 */
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
  /** Where that part of it ends whose norm says whether the mean can be applied. */
  readonly normEnd: number;
  /** How many elements at its end are measures. */
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

/** Of the longest vector of the run's rounds, in float32. */
export function vectorBytes(training: TrainingOptions): number {
  const lengths = roundsOf(training).map((round) => roundLayout(round, training).length);
  return Math.max(...lengths) * Float32Array.BYTES_PER_ELEMENT;
}

/**
 * The last step of the round that begins with `step`. Rounds end where the number of steps is a multiple of `localSteps`,
 * and with the run: wherever a run goes on, its rounds are those of the run that was not stopped there.
 */
export function lastOfRound(step: number, lastStep: number, { localSteps = 1 }: LocalOption): number {
  return Math.min(Math.ceil(step / localSteps) * localSteps, lastStep);
}

/** The steps of the round that ends with this one. */
export function roundUpTo(step: number, { localSteps = 1 }: LocalOption): StepRange {
  return { first: step - ((step - 1) % localSteps), last: step };
}
