import type { Faces } from './faces.js';
import { normalise } from './normalise.js';
import { faceBytes } from './pack-format.js';
import type { Sampler } from './sampler.js';

/** A shard's part of each batch, read from a pack of the whole dataset. */
export class ShardBatches {
  readonly #faces: Faces;
  readonly #sampler: Sampler;
  readonly #bytes: Uint8Array;
  /** Numbers in a batch: shardBatch x size x size x 3. */
  readonly length: number;

  constructor(faces: Faces, sampler: Sampler) {
    this.#faces = faces;
    this.#sampler = sampler;
    this.length = sampler.shardBatch * faceBytes(faces.size);
    this.#bytes = new Uint8Array(this.length);
  }

  /** Fills `into` with the shard's images in a step, -1 .. 1. [batch / shards, size, size, 3] */
  read(step: number, shard: number, into: Float32Array): void {
    this.#faces.read(this.#sampler.indices(step, shard), this.#bytes);
    normalise(this.#bytes, into);
  }
}
