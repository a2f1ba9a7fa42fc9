import { MeanOfVectors } from '../averaging/mean-of-vectors.js';
import { IMAGE_CHANNELS } from './architecture.js';
import { DRAWS, DISCRIMINATOR_BATCHES, shardDraws } from './augment-draws.js';
import { euclideanNorm } from './gradient-norm.js';
import { modelLayout } from './layout.js';
import { shardNoise } from './noise.js';
import { MEASURES, phaseLayout, type Phase } from './phase.js';
import type { ReplicaHandle } from './replica-handle.js';
import { sharedFloats, type ReplicaCalls } from './replica-protocol.js';
import { NotFinite } from './replica.js';
import type { TrainingOptions } from './training-options.js';

/** Source of a shard's real images: fills [batch / shards, size, size, 3] with values in [-1, 1]. */
export interface ShardImages {
  read(batch: number, shard: number, into: Float32Array): void;
}

export interface ShardGradient {
  /** See `phaseLayout`. The mean over the step's batches. */
  readonly vector: Float32Array;
  readonly seconds: number;
}

export interface ShardUpdate {
  /** See `MEASURES`. Overwritten by the phase's next one. */
  readonly measures: Float32Array;
  readonly gradientNorm: number;
  readonly seconds: number;
}

export interface ShardStep {
  readonly step: number;
  readonly shard: number;
}

interface PhaseInputs {
  readonly noise: Float32Array;
  readonly images?: Float32Array;
  readonly draws?: Float32Array;
}

/** A shard of a batch. Batches are counted from 1 through the whole run; each is K of `--accumulate K` to a step. */
interface ShardBatch {
  readonly batch: number;
  readonly shard: number;
}

/** Computes shards on a replica, a batch at a time, and reads the next one's images while it does. */
export class ShardTrainer {
  readonly #noise: Float32Array;
  /** Undefined in a run without augmentations. */
  readonly #draws: Record<Phase, Float32Array> | undefined;
  readonly #images: ImageBuffers;
  readonly #measures: Record<Phase, Float32Array>;
  /** The batch whose real half is computed ahead, and the seconds that this takes. */
  #prefetched: (ShardBatch & { readonly seconds: Promise<number> }) | undefined;

  constructor(
    private readonly options: TrainingOptions,
    private readonly replica: ReplicaHandle,
    images: ShardImages,
  ) {
    const batch = options.batchSize / options.shards;
    this.#noise = sharedFloats(batch * options.latentSize);
    const draws = (phase: Phase): Float32Array =>
      sharedFloats(DISCRIMINATOR_BATCHES[phase] * batch * DRAWS.length);
    if (options.augment !== undefined)
      this.#draws = { discriminator: draws('discriminator'), generator: draws('generator') };
    this.#images = new ImageBuffers(images, batch * options.imageSize ** 2 * IMAGE_CHANNELS);
    this.#measures = {
      discriminator: sharedFloats(MEASURES.discriminator.length),
      generator: sharedFloats(MEASURES.generator.length),
    };
  }

  /**
   * The mean over the step's batches: each is what a run without accumulation has in the step of its number, but for the
   * weights. `next` is the shard that will be asked for after this one, where that is known. Undefined where it is not
   * wanted any more before the last batch.
   */
  compute(phase: Phase, step: number, shard: number, next: ShardStep): Promise<ShardGradient>;
  compute(
    phase: Phase,
    step: number,
    shard: number,
    next: ShardStep,
    isWanted: () => boolean,
  ): Promise<ShardGradient | undefined>;
  async compute(
    phase: Phase,
    step: number,
    shard: number,
    next: ShardStep,
    isWanted = (): boolean => true,
  ): Promise<ShardGradient | undefined> {
    const first = this.#firstBatch(step);
    const realBatchSeconds = await this.#takeRealBatch(phase, first, shard);
    const last = first + (this.options.accumulate ?? 1) - 1;
    const start = (batch: number): Promise<ReplicaCalls['compute']['response']> => {
      const following =
        batch < last
          ? { batch: batch + 1, shard }
          : { batch: this.#firstBatch(next.step), shard: next.shard };
      return this.#whileReadingAhead(phase, { batch, shard }, following, (inputs) =>
        this.replica.call('compute', { phase, ...inputs }),
      );
    };
    const mean = new MeanOfVectors();
    let total = realBatchSeconds;
    let computing = start(first);
    for (let batch = first; batch < last; batch++) {
      const { vector, seconds } = await computing;
      if (!isWanted()) return undefined;
      // One batch is added while the next is computed.
      computing = start(batch + 1);
      mean.add(vector);
      total += seconds;
    }
    const { vector, seconds } = await computing;
    mean.add(vector);
    return { vector: mean.take(), seconds: total + seconds };
  }

  /**
   * Gradient and update of one shard alone, at once where a step is one batch. `next` as in compute. Rejects with
   * NotFinite, and then has updated nothing.
   */
  async train(
    phase: Phase,
    step: number,
    shard = 0,
    next: ShardStep = { step: step + 1, shard },
  ): Promise<ShardUpdate> {
    await this.#takeRealBatch(phase, step, shard);
    if ((this.options.accumulate ?? 1) > 1) return this.#trainAccumulated(phase, step, shard, next);
    const measures = this.#measures[phase];
    const trained = await this.#whileReadingAhead(
      phase,
      { batch: step, shard },
      { batch: next.step, shard: next.shard },
      (inputs) => this.replica.call('train', { phase, step, ...inputs, into: measures }),
    );
    if ('notFinite' in trained) throw new NotFinite(phase, step);
    return { measures, ...trained };
  }

  /**
   * Starts the next discriminator phase while the generator's all-reduce runs: see `Replica.computeRealBatch`. The next
   * computation waits for it.
   */
  prefetchRealBatch({ step, shard }: ShardStep): void {
    const batch = this.#firstBatch(step);
    const images = this.#images.take(batch, shard);
    const prefetched = this.replica.call('computeRealBatch', {
      images,
      ...this.#drawn('discriminator', batch, shard),
    });
    const seconds = prefetched.then((answer) => answer.seconds);
    // The next computation reports a failure.
    seconds.catch(() => undefined);
    this.#prefetched = { batch, shard, seconds };
  }

  /** Waits for what is computed ahead, which frees its buffers. Returns the seconds that it saves this phase. */
  async #takeRealBatch(phase: Phase, batch: number, shard: number): Promise<number> {
    const prefetched = this.#prefetched;
    this.#prefetched = undefined;
    const seconds = (await prefetched?.seconds) ?? 0;
    const isOfIt = phase === 'discriminator' && prefetched?.batch === batch && prefetched.shard === shard;
    return isOfIt ? seconds : 0;
  }

  async #trainAccumulated(phase: Phase, step: number, shard: number, next: ShardStep): Promise<ShardUpdate> {
    const { vector, seconds } = await this.compute(phase, step, shard, next);
    const { gradient, measures } = phaseLayout(phase, modelLayout(this.options));
    const gradientNorm = euclideanNorm(vector.subarray(gradient.start, gradient.end));
    if (!Number.isFinite(gradientNorm)) throw new NotFinite(phase, step);
    const applied = await this.replica.call('apply', { phase, step, averaged: vector });
    return {
      measures: vector.subarray(measures.start, measures.end),
      gradientNorm,
      seconds: seconds + applied.seconds,
    };
  }

  #firstBatch(step: number): number {
    return (step - 1) * (this.options.accumulate ?? 1) + 1;
  }

  /** The images that come next are read while the compute thread is at work. */
  async #whileReadingAhead<Answer>(
    phase: Phase,
    { batch, shard }: ShardBatch,
    next: ShardBatch,
    compute: (inputs: PhaseInputs) => Promise<Answer>,
  ): Promise<Answer> {
    const drawn = this.#drawn(phase, batch, shard);
    if (phase === 'generator') return compute(drawn);
    const computed = compute({ ...drawn, images: this.#images.take(batch, shard) });
    this.#images.readAhead(next.batch, next.shard);
    return computed;
  }

  #drawn(phase: Phase, batch: number, shard: number): PhaseInputs {
    const { seed, imageSize } = this.options;
    return {
      noise: shardNoise(seed, batch, shard, this.#noise),
      ...(this.#draws && { draws: shardDraws(seed, { phase, batch, shard }, imageSize, this.#draws[phase]) }),
    };
  }
}

/** Two buffers of images: one in use by the compute thread, one being filled with what comes next. */
class ImageBuffers {
  readonly #buffers: { key: string | undefined; readonly floats: Float32Array }[];

  constructor(
    private readonly source: ShardImages,
    length: number,
  ) {
    this.#buffers = [0, 1].map(() => ({ key: undefined, floats: sharedFloats(length) }));
  }

  /** The images of a shard's batch, and until the next take() the other buffer is free. */
  take(batch: number, shard: number): Float32Array {
    const ready = this.#buffers.find(({ key }) => key === `${batch}/${shard}`);
    const buffer = ready ?? this.#fill(batch, shard);
    // The buffer in use goes to the front; the other one is filled next.
    this.#buffers.sort((one, other) => Number(other === buffer) - Number(one === buffer));
    return buffer.floats;
  }

  readAhead(batch: number, shard: number): void {
    this.#fill(batch, shard);
  }

  #fill(batch: number, shard: number): { key: string | undefined; readonly floats: Float32Array } {
    const buffer = this.#buffers[1];
    buffer.key = undefined;
    this.source.read(batch, shard, buffer.floats);
    buffer.key = `${batch}/${shard}`;
    return buffer;
  }
}
