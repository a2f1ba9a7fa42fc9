import type { Sampler } from '../data/index.js';
import type { StepRange } from '../model/local-steps.js';
import type { Measures, Phase } from '../model/phase.js';
import { lastOfRound, type RoundName } from '../model/round.js';
import { imagesOfStep, type TrainingOptions } from '../model/training-options.js';
import type { ComputeGroup, Traffic } from './executor.js';
import type { StepRecord } from '../run/step-record.js';

/** Result of a step: its record, and facts for the metrics alone. */
export interface StepOutcome {
  readonly record: StepRecord;
  /** The steps that are averaged at once: it alone, but for local steps. The state is the last one's. */
  readonly round: StepRange;
  readonly phaseSeconds: Readonly<Partial<Record<RoundName, number>>>;
  readonly gradientNorms: Readonly<Record<Phase, number>>;
  /** Repetitions because a gradient, or the state after local steps, was not finite. */
  readonly redone: number;
}

export interface TrainingLoop {
  readonly group: ComputeGroup;
  readonly training: TrainingOptions;
  readonly sampler: Sampler;
  readonly firstStep: number;
  readonly lastStep: number;
  /** Ends the loop after the step, or round, that is under way. */
  readonly stop: AbortSignal;
  /** Resolves when the next step may start, that is, while the run is not paused. */
  readonly mayGoOn?: () => Promise<void>;
}

/** Trains step by step; each is yielded when it is done, and the next begins when that is dealt with. */
export async function* trainSteps(loop: TrainingLoop): AsyncGenerator<StepOutcome> {
  const { group, training, sampler, firstStep, lastStep, stop, mayGoOn } = loop;
  for (let step = firstStep; step <= lastStep; step = lastOfRound(step, lastStep, training) + 1) {
    await mayGoOn?.();
    if (stop.aborted) return;
    if (training.localSteps === undefined)
      yield await trainStep(group, training, step, sampler.epochOf(step));
    else yield* await trainRound(loop, { first: step, last: lastOfRound(step, lastStep, training) });
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
  const computeSeconds = discriminator.computeSeconds + generator.computeSeconds;
  const record: StepRecord = {
    ...{ step, epoch },
    ...measured({ discriminator: discriminator.measures, generator: generator.measures }),
    ...timesOf(imagesOfStep(training), seconds, computeSeconds),
    ...bytesOf(trafficSince(before, group.traffic())),
    workers: group.workers,
  };
  return {
    record,
    round: { first: step, last: step },
    phaseSeconds: { discriminator: discriminator.seconds, generator: generator.seconds },
    gradientNorms: { discriminator: discriminator.gradientNorm, generator: generator.gradientNorm },
    redone: discriminator.redone + generator.redone,
  };
}

/** Steps that each shard trains on its own. Each has its own measures, and an equal part of what all of them took. */
async function trainRound(
  { group, training, sampler }: TrainingLoop,
  round: StepRange,
): Promise<StepOutcome[]> {
  const before = group.traffic();
  const { steps, redone, computeSeconds, seconds } = await timed(() => group.trainLocally(round));
  const traffic = trafficSince(before, group.traffic());
  return steps.map((step, index) => {
    const number = round.first + index;
    return {
      record: {
        ...{ step: number, epoch: sampler.epochOf(number) },
        ...measured(step),
        ...timesOf(imagesOfStep(training), seconds / steps.length, computeSeconds / steps.length),
        ...bytesOf(partOf(traffic, index, steps.length)),
        workers: group.workers,
      },
      round,
      phaseSeconds: { local: seconds / steps.length },
      gradientNorms: {
        discriminator: step.discriminator.gradientNorm,
        generator: step.generator.gradientNorm,
      },
      redone: number === round.last ? redone : 0,
    };
  });
}

function measured({ discriminator, generator }: { readonly [P in Phase]: Measures<P> }) {
  return {
    discriminatorLoss: discriminator.loss,
    generatorLoss: generator.loss,
    realScore: discriminator.realScore,
    fakeScoreBefore: discriminator.fakeScore,
    fakeScoreAfter: generator.fakeScore,
  };
}

function timesOf(images: number, seconds: number, computeSeconds: number) {
  return {
    imagesPerSecond: images / seconds,
    computeSeconds,
    averagingSeconds: Math.max(0, seconds - computeSeconds),
  };
}

function bytesOf({ sent, received, amongWorkers }: Traffic) {
  return { sentBytes: sent, receivedBytes: received, amongWorkersBytes: amongWorkers };
}

function trafficSince(before: Traffic, after: Traffic): Traffic {
  return {
    sent: after.sent - before.sent,
    received: after.received - before.received,
    amongWorkers: after.amongWorkers - before.amongWorkers,
  };
}

/** Whole bytes, of which all parts together are the whole. */
function partOf(traffic: Traffic, index: number, parts: number): Traffic {
  const upTo = (bytes: number, part: number): number => Math.floor((bytes * part) / parts);
  const share = (bytes: number): number => upTo(bytes, index + 1) - upTo(bytes, index);
  return {
    sent: share(traffic.sent),
    received: share(traffic.received),
    amongWorkers: share(traffic.amongWorkers),
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
