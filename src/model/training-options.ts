import { createHash } from 'node:crypto';
import { SUMMATIONS, type Summation } from '../averaging/order-of-sums.js';
import { WIRE_FORMATS, type WireFormat } from '../averaging/wire-format.js';
import { UserError } from '../common/errors.js';
import { PRECISIONS, type EngineName, type Precision } from '../engine/engine.js';
import type { AdamOptions } from './adam.js';
import { checkModelOptions } from './architecture.js';
import { MAX_LOCAL_STEPS } from './local-layout.js';
import { checkRegularization, type StepOptions } from './regularization.js';
import type { ReplicaCalls } from './replica-protocol.js';

/**
 * The options that decide a run's numbers. With the same ones, the same images and the same engine, two runs are the
 * same bit for bit, however many workers compute them.
 */
export interface TrainingOptions extends StepOptions, AdamOptions {
  /** Images of a whole batch, over all shards. */
  readonly batchSize: number;
  /** Batches of a step: a shard's gradient is the mean over so many of its own (default: 1), computed one after the other. */
  readonly accumulate?: number | undefined;
  /** Steps that each shard trains on its own before their states are averaged, see `LocalSteps` (default: none). */
  readonly localSteps?: number | undefined;
  /** Equal parts that a step's batch is cut into, each with batch statistics of its own. */
  readonly shards: number;
  readonly seed: number;
  /** Threads that compute a shard; another number rounds differently in the seventh digit. */
  readonly threads: number;
  readonly precision: Precision;
  /** Native engine: operation by operation, as TensorFlow.js is written, instead of as one recorded graph. */
  readonly eager: boolean;
  /** The order in which the shards' gradients are added; sequential where it is not said. */
  readonly summation?: Summation;
  /** Number format of gradients on the wire; absent: fp32. */
  readonly wire?: WireFormat;
}

/** Returns the load request of a compute thread for training. */
export function trainingLoad(engine: EngineName, options: TrainingOptions): ReplicaCalls['load']['request'] {
  const { learningRate, beta1, batchSize, shards, precision, eager } = options;
  if (precision !== 'fp32' && engine !== 'native')
    throw new UserError(
      `--precision ${precision} needs the native engine: the ${engine} engine computes in fp32`,
    );
  const recorded = eager || engine !== 'native' ? undefined : { batch: batchSize / shards, precision };
  return { engine, model: options, optimizer: { learningRate, beta1 }, recorded };
}

/** Images of a whole step, over all its batches and shards. */
export function imagesOfStep({ batchSize, accumulate = 1 }: TrainingOptions): number {
  return batchSize * accumulate;
}

/** Names the options in a handshake: SHA-256 of their JSON. */
export function hashOptions(json: string): string {
  return createHash('sha256').update(json).digest('hex');
}

/** Limit of the protocol. */
const MAX_SHARDS = 65_536;

/** Refuses options that no run can have, each by name. */
export function checkTrainingOptions(options: TrainingOptions): void {
  checkModelOptions(options);
  checkRegularization(options);
  const { batchSize, accumulate = 1, shards, seed, threads, learningRate, beta1, precision, eager } = options;
  const { localSteps = 1 } = options;
  for (const [name, value, least] of [
    ['batch size', batchSize, 1],
    ['number of accumulated batches', accumulate, 1],
    ['number of local steps', localSteps, 1],
    ['number of shards', shards, 1],
    ['seed', seed, 0],
    ['number of threads', threads, 1],
  ] as const)
    if (!Number.isSafeInteger(value) || value < least)
      throw new UserError(`the ${name} must be a whole number of at least ${least}, not ${value}`);
  if (shards > MAX_SHARDS) throw new UserError(`there can be ${MAX_SHARDS} shards, not ${shards}`);
  if (localSteps > MAX_LOCAL_STEPS)
    throw new UserError(`--local-steps can be at most ${MAX_LOCAL_STEPS}, not ${localSteps}`);
  if (batchSize % shards !== 0)
    throw new UserError(
      `a batch of ${batchSize} images cannot be cut into ${shards} equal shards: ` +
        `give --batch-size ${Math.max(1, Math.round(batchSize / shards)) * shards}, or other --shards`,
    );
  if (!PRECISIONS.includes(precision))
    throw new UserError(`precision ${precision} is not one of ${PRECISIONS.join(', ')}`);
  if (options.summation !== undefined && !SUMMATIONS.includes(options.summation))
    throw new UserError(`summation ${options.summation} is not one of ${SUMMATIONS.join(', ')}`);
  if (options.wire !== undefined && !WIRE_FORMATS.includes(options.wire))
    throw new UserError(`wire ${options.wire} is not one of ${WIRE_FORMATS.join(', ')}`);
  if (localSteps > 1 && options.wire !== undefined && options.wire !== 'fp32')
    throw new UserError(
      `--local-steps averages weights, which --wire ${options.wire} would round: give one of the two`,
    );
  if (eager && precision !== 'fp32') throw new UserError('--eager computes in fp32 only');
  if (!(learningRate > 0 && Number.isFinite(learningRate)))
    throw new UserError(`the learning rate must be a number above 0, not ${learningRate}`);
  if (!(beta1 >= 0 && beta1 < 1)) throw new UserError(`beta1 must be at least 0 and below 1, not ${beta1}`);
}
