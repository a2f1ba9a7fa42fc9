import { IMAGE_CHANNELS } from './architecture.js';
import { DRAWS, JUDGED, shardDraws } from './augment-draws.js';
import { shardNoise } from './noise.js';
import { MEASURES, type Phase } from './phase.js';
import type { ReplicaHandle } from './replica-handle.js';
import { sharedFloats } from './replica-protocol.js';
import { NotFinite } from './replica.js';
import type { TrainingOptions } from './training-options.js';

/** Where a shard's real images come from: fills [batch / shards, size, size, 3] with values in [-1, 1]. */
export interface ShardImages {
  read(step: number, shard: number, into: Float32Array): void;
}

export interface ShardGradient {
  /** See `phaseLayout`. */
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

/** Computes shards on a replica, one at a time, and reads the next one's images while it does. */
export class ShardComputer {
  readonly #noise: Float32Array;
  /** Undefined in a run without augmentations. */
  readonly #draws: Record<Phase, Float32Array> | undefined;
  readonly #images: ImageBuffers;
  readonly #measures: Record<Phase, Float32Array>;

  constructor(
    private readonly options: TrainingOptions,
    private readonly replica: ReplicaHandle,
    images: ShardImages,
  ) {
    const batch = options.batchSize / options.shards;
    this.#noise = sharedFloats(batch * options.latentSize);
    const draws = (phase: Phase): Float32Array => sharedFloats(JUDGED[phase] * batch * DRAWS.length);
    if (options.augment !== undefined)
      this.#draws = { discriminator: draws('discriminator'), generator: draws('generator') };
    this.#images = new ImageBuffers(images, batch * options.imageSize ** 2 * IMAGE_CHANNELS);
    this.#measures = {
      discriminator: sharedFloats(MEASURES.discriminator.length),
      generator: sharedFloats(MEASURES.generator.length),
    };
  }

  /** `next` is the shard that will be asked for after this one, where that is known. */
  compute(phase: Phase, step: number, shard: number, next: ShardStep): Promise<ShardGradient> {
    return this.#whileReadingAhead(phase, { step, shard }, next, (inputs) =>
      this.replica.call('compute', { phase, ...inputs }),
    );
  }

  /** The only shard's gradient and update at once. Rejects with NotFinite. */
  async train(phase: Phase, step: number): Promise<ShardUpdate> {
    const measures = this.#measures[phase];
    const trained = await this.#whileReadingAhead(
      phase,
      { step, shard: 0 },
      { step: step + 1, shard: 0 },
      (inputs) => this.replica.call('train', { phase, step, ...inputs, into: measures }),
    );
    if ('notFinite' in trained) throw new NotFinite(phase, step);
    return { measures, ...trained };
  }

  /** The images that come next are read while the compute thread is at work. */
  async #whileReadingAhead<Answer>(
    phase: Phase,
    { step, shard }: ShardStep,
    next: ShardStep,
    compute: (inputs: PhaseInputs) => Promise<Answer>,
  ): Promise<Answer> {
    const { seed, imageSize } = this.options;
    const drawn: PhaseInputs = {
      noise: shardNoise(seed, step, shard, this.#noise),
      ...(this.#draws && { draws: shardDraws(seed, { phase, step, shard }, imageSize, this.#draws[phase]) }),
    };
    if (phase === 'generator') return compute(drawn);
    const computed = compute({ ...drawn, images: this.#images.take(step, shard) });
    this.#images.readAhead(next.step, next.shard);
    return computed;
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

  /** The images of a shard, and until the next take() the other buffer is free. */
  take(step: number, shard: number): Float32Array {
    const ready = this.#buffers.find(({ key }) => key === `${step}/${shard}`);
    const buffer = ready ?? this.#fill(step, shard);
    // The buffer in use goes to the front; the other one is filled next.
    this.#buffers.sort((one, other) => Number(other === buffer) - Number(one === buffer));
    return buffer.floats;
  }

  readAhead(step: number, shard: number): void {
    this.#fill(step, shard);
  }

  #fill(step: number, shard: number): { key: string | undefined; readonly floats: Float32Array } {
    const buffer = this.#buffers[1];
    buffer.key = undefined;
    this.source.read(step, shard, buffer.floats);
    buffer.key = `${step}/${shard}`;
    return buffer;
  }
}
