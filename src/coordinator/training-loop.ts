import type { Sampler } from '../data/index.js';
import { modelLayout } from '../model/layout.js';
import { PHASES, phaseLayout, readMeasures, type Phase } from '../model/phase.js';
import type { TrainingOptions } from '../model/training-options.js';
import type { ComputeGroup } from './compute-group.js';
import type { StepRecord } from './step-record.js';

/** A gradient that is no number: the update would spoil the network, so the run ends before it. */
export class NotFinite extends Error {
  override readonly name = 'NotFinite';

  constructor(
    readonly phase: Phase,
    step: number,
  ) {
    super(`the ${phase}'s gradient is not finite at step ${step}`);
  }
}

/** What a step leaves behind: its record, and what only the metrics want. */
export interface StepOutcome {
  readonly record: StepRecord;
  readonly phaseSeconds: Readonly<Record<Phase, number>>;
  readonly gradientNorms: Readonly<Record<Phase, number>>;
}

export interface TrainingLoop {
  readonly group: ComputeGroup;
  readonly training: TrainingOptions;
  readonly sampler: Sampler;
  readonly firstStep: number;
  readonly lastStep: number;
  /** Ends the loop after the step that is under way. */
  readonly stop: AbortSignal;
}

/** Trains step by step; each is yielded when it is done, and the next begins when that is dealt with. */
export async function* trainSteps(loop: TrainingLoop): AsyncGenerator<StepOutcome> {
  const { group, training, sampler, firstStep, lastStep, stop } = loop;
  for (let step = firstStep; step <= lastStep && !stop.aborted; step++)
    yield await trainStep(group, training, step, sampler.epochOf(step));
}

/**
 * One step: each phase's gradient, averaged over the shards, then that network's update. The generator is trained
 * through the discriminator that this step has just updated, as in PyTorch's tutorial.
 */
async function trainStep(
  group: ComputeGroup,
  training: TrainingOptions,
  step: number,
  epoch: number,
): Promise<StepOutcome> {
  const layout = modelLayout(training);
  const before = group.traffic();
  const started = performance.now();
  const phaseSeconds = { discriminator: 0, generator: 0 };
  const gradientNorms = { discriminator: 0, generator: 0 };
  const vectors: Partial<Record<Phase, Float32Array>> = {};
  let computeSeconds = 0;

  for (const phase of PHASES) {
    const phaseStarted = performance.now();
    const result = await group.compute(phase, step);
    const { start, end } = phaseLayout(phase, layout).gradient;
    gradientNorms[phase] = norm(result.averaged.subarray(start, end));
    if (!Number.isFinite(gradientNorms[phase])) throw new NotFinite(phase, step);
    await group.apply(phase, step, result.averaged);
    vectors[phase] = result.averaged;
    computeSeconds += result.computeSeconds;
    phaseSeconds[phase] = secondsSince(phaseStarted);
  }

  const seconds = secondsSince(started);
  const after = group.traffic();
  const discriminator = readMeasures('discriminator', vectors.discriminator as Float32Array);
  const generator = readMeasures('generator', vectors.generator as Float32Array);
  const record: StepRecord = {
    step,
    epoch,
    discriminatorLoss: discriminator.loss,
    generatorLoss: generator.loss,
    realScore: discriminator.realScore,
    fakeScoreBefore: discriminator.fakeScore,
    fakeScoreAfter: generator.fakeScore,
    imagesPerSecond: training.batchSize / seconds,
    computeSeconds,
    averagingSeconds: Math.max(0, seconds - computeSeconds),
    sentBytes: after.sent - before.sent,
    receivedBytes: after.received - before.received,
    workers: group.workers,
  };
  return { record, phaseSeconds, gradientNorms };
}

/** Euclidean; not finite where any element is not. */
function norm(vector: Float32Array): number {
  let squares = 0;
  for (const value of vector) squares += value * value;
  return Math.sqrt(squares);
}

function secondsSince(started: number): number {
  return (performance.now() - started) / 1000;
}
