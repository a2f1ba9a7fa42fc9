import type { Sampler } from '../data/index.js';
import type { Phase } from '../model/phase.js';
import { imagesOfStep, type TrainingOptions } from '../model/training-options.js';
import type { ComputeGroup } from './compute-group.js';
import type { StepRecord } from './step-record.js';

/** What a step leaves behind: its record, and what only the metrics want. */
export interface StepOutcome {
  readonly record: StepRecord;
  readonly phaseSeconds: Readonly<Record<Phase, number>>;
  readonly gradientNorms: Readonly<Record<Phase, number>>;
  /** How often a gradient was not finite, and its phase done again. */
  readonly redone: number;
}

export interface TrainingLoop {
  readonly group: ComputeGroup;
  readonly training: TrainingOptions;
  readonly sampler: Sampler;
  readonly firstStep: number;
  readonly lastStep: number;
  /** Ends the loop after the step that is under way. */
  readonly stop: AbortSignal;
  /** Resolves when the next step may begin: whoever paused the run lets it go on. */
  readonly mayGoOn?: () => Promise<void>;
}

/** Trains step by step; each is yielded when it is done, and the next begins when that is dealt with. */
export async function* trainSteps(loop: TrainingLoop): AsyncGenerator<StepOutcome> {
  const { group, training, sampler, firstStep, lastStep, stop, mayGoOn } = loop;
  for (let step = firstStep; step <= lastStep; step++) {
    await mayGoOn?.();
    if (stop.aborted) return;
    yield await trainStep(group, training, step, sampler.epochOf(step));
  }
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
  const before = group.traffic();
  const started = performance.now();
  const discriminator = await timed(() => group.train('discriminator', step));
  const generator = await timed(() => group.train('generator', step));
  const seconds = secondsSince(started);
  const after = group.traffic();
  const computeSeconds = discriminator.computeSeconds + generator.computeSeconds;
  const record: StepRecord = {
    step,
    epoch,
    discriminatorLoss: discriminator.measures.loss,
    generatorLoss: generator.measures.loss,
    realScore: discriminator.measures.realScore,
    fakeScoreBefore: discriminator.measures.fakeScore,
    fakeScoreAfter: generator.measures.fakeScore,
    imagesPerSecond: imagesOfStep(training) / seconds,
    computeSeconds,
    averagingSeconds: Math.max(0, seconds - computeSeconds),
    sentBytes: after.sent - before.sent,
    receivedBytes: after.received - before.received,
    amongWorkersBytes: after.amongWorkers - before.amongWorkers,
    workers: group.workers,
  };
  return {
    record,
    phaseSeconds: { discriminator: discriminator.seconds, generator: generator.seconds },
    gradientNorms: { discriminator: discriminator.gradientNorm, generator: generator.gradientNorm },
    redone: discriminator.redone + generator.redone,
  };
}

async function timed<Result extends object>(
  work: () => Promise<Result>,
): Promise<Result & { seconds: number }> {
  const started = performance.now();
  const result = await work();
  return { ...result, seconds: secondsSince(started) };
}

function secondsSince(started: number): number {
  return (performance.now() - started) / 1000;
}
