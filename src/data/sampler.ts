import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { UserError } from '../common/errors.js';
import { permutation, randomStream } from '../common/random.js';

export interface SamplerOptions {
  /** Images in the dataset. */
  readonly count: number;
  /** Images in a batch, over all shards. */
  readonly batch: number;
  readonly shards: number;
  readonly seed: number;
  /** True if images are mirrored, each with probability 1/2. */
  readonly mirror?: boolean | undefined;
  /** Batches of a step (default: 1). */
  readonly accumulate?: number | undefined;
}

/**
 * Which images a shard sees in a batch. Shard s of S owns the images i with i % S === s and goes through them in an
 * order of its own, drawn afresh each epoch, so that a node needs only its shards' images. It depends on
 * (seed, batch, shard) alone: nothing is saved, and any step can be done again anywhere. Batches are counted through the
 * whole run, and a step is the next of them, or the next few: one may begin in an epoch and end in the next.
 */
export class Sampler {
  readonly options: SamplerOptions;
  readonly batchesPerEpoch: number;
  /** Images of a shard in a batch. */
  readonly shardBatch: number;
  readonly #accumulate: number;
  /** Each shard's order in the epoch that it was last asked for: 4 bytes an image. */
  readonly #orders = new Map<number, { readonly epoch: number; readonly order: Uint32Array }>();

  constructor(options: SamplerOptions) {
    const { count, batch, shards, accumulate = 1 } = options;
    if (batch % shards !== 0) {
      throw new UserError(`a batch of ${batch} images cannot be cut into ${shards} equal shards`);
    }
    if (count < batch) {
      const largest = count - (count % shards);
      throw new UserError(
        largest > 0
          ? `${count} images are fewer than one batch of ${batch}: the largest batch possible is ${largest}`
          : `${count} images are too few for ${shards} shards: each needs at least one`,
      );
    }
    this.batchesPerEpoch = Math.floor(count / batch);
    if (accumulate > this.batchesPerEpoch)
      throw new UserError(
        `${count} images are fewer than ${accumulate} batches of ${batch}: ` +
          `--accumulate can be at most ${this.batchesPerEpoch}`,
      );
    this.options = options;
    this.#accumulate = accumulate;
    this.shardBatch = batch / shards;
  }

  /** Returns the whole steps in these epochs. */
  stepsIn(epochs: number): number {
    return Math.floor((epochs * this.batchesPerEpoch) / this.#accumulate);
  }

  /** The epoch that a step begins in. Epochs, steps and batches are counted from 1. */
  epochOf(step: number): number {
    return this.#epochOfBatch((step - 1) * this.#accumulate + 1);
  }

  /** Numbers of the images in the whole dataset. [batch / shards] */
  indices(batch: number, shard: number): Uint32Array {
    const { shards } = this.options;
    if (!(Number.isInteger(batch) && batch >= 1))
      throw new RangeError(`batches are counted from 1: ${batch}`);
    if (!(Number.isInteger(shard) && shard >= 0 && shard < shards)) {
      throw new RangeError(`there is no shard ${shard} of ${shards}`);
    }
    const order = this.#order(this.#epochOfBatch(batch), shard);
    const start = ((batch - 1) % this.batchesPerEpoch) * this.shardBatch;
    return order.subarray(start, start + this.shardBatch).map((own) => this.imageOf(shard, own));
  }

  /** Which of the images are mirrored in this batch; undefined: none. [batch / shards] */
  mirrored(batch: number, shard: number): readonly boolean[] | undefined {
    const { mirror, seed } = this.options;
    if (!mirror) return undefined;
    const stream = randomStream(seed, 'mirror', batch, shard);
    return Array.from({ length: this.shardBatch }, () => uniformFloat64(stream) < 0.5);
  }

  /** The number in the whole dataset of a shard's own image: 0, 1, 2, ... of the images that it owns. */
  imageOf(shard: number, own: number): number {
    return own * this.options.shards + shard;
  }

  /** The other way round. */
  ownNumber(image: number): number {
    return Math.floor(image / this.options.shards);
  }

  #epochOfBatch(batch: number): number {
    return Math.floor((batch - 1) / this.batchesPerEpoch) + 1;
  }

  /** A permutation of the shard's own images. */
  #order(epoch: number, shard: number): Uint32Array {
    const kept = this.#orders.get(shard);
    if (kept?.epoch === epoch) return kept.order;
    const order = permutation(this.sizeOf(shard), randomStream(this.options.seed, 'order', epoch, shard));
    this.#orders.set(shard, { epoch, order });
    return order;
  }

  /**
   * Returns the count of images of a shard. The smallest shard has floor(count / shards), which is never less than
   * floor(count / batch) * batch / shards: an epoch's batches always fit.
   */
  sizeOf(shard: number): number {
    const { count, shards } = this.options;
    return Math.floor((count - shard - 1) / shards) + 1;
  }
}
