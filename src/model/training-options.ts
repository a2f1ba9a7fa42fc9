import { createHash } from 'node:crypto';
import { UserError } from '../common/errors.js';
import type { AdamOptions } from './adam.js';
import { checkModelOptions, type ModelOptions } from './architecture.js';

/**
 * The options that decide a run's numbers. With the same ones, the same images and the same engine, two runs are the
 * same bit for bit, however many workers compute them.
 */
export interface TrainingOptions extends ModelOptions, AdamOptions {
  /** Images of a whole step, over all shards. */
  readonly batchSize: number;
  /** Equal parts that a step's batch is cut into, each with batch statistics of its own. */
  readonly shards: number;
  readonly seed: number;
  /** Threads that compute a shard; another number rounds differently in the seventh digit. */
  readonly threads: number;
}

/** Names the options in a handshake: SHA-256 of their JSON. */
export function hashOptions(json: string): string {
  return createHash('sha256').update(json).digest('hex');
}

/** Refuses options that no run can have, each by name. */
export function checkTrainingOptions(options: TrainingOptions): void {
  checkModelOptions(options);
  const { batchSize, shards, seed, threads, learningRate, beta1 } = options;
  for (const [name, value, least] of [
    ['batch size', batchSize, 1],
    ['number of shards', shards, 1],
    ['seed', seed, 0],
    ['number of threads', threads, 1],
  ] as const)
    if (!Number.isSafeInteger(value) || value < least)
      throw new UserError(`the ${name} must be a whole number of at least ${least}, not ${value}`);
  if (batchSize % shards !== 0)
    throw new UserError(
      `a batch of ${batchSize} images cannot be cut into ${shards} equal shards: ` +
        `give --batch-size ${Math.max(1, Math.round(batchSize / shards)) * shards}, or other --shards`,
    );
  if (!(learningRate > 0 && Number.isFinite(learningRate)))
    throw new UserError(`the learning rate must be a number above 0, not ${learningRate}`);
  if (!(beta1 >= 0 && beta1 < 1)) throw new UserError(`beta1 must be at least 0 and below 1, not ${beta1}`);
}
