import type { Faces } from './faces.js';
import { normalise } from './normalise.js';
import { faceBytes } from './pack-format.js';
import type { Sampler } from './sampler.js';

/** A shard's part of each batch, read from a pack of the whole dataset. */
export class ShardBatches {
  readonly #faces: Faces;
  readonly #sampler: Sampler;
  /** One at a time: it stays in the processor's cache between reading and normalising. */
  readonly #face: Uint8Array;
  /** Numbers in a batch: shardBatch x size x size x 3. */
  readonly length: number;

  constructor(faces: Faces, sampler: Sampler) {
    this.#faces = faces;
    this.#sampler = sampler;
    this.#face = new Uint8Array(faceBytes(faces.size));
    this.length = sampler.shardBatch * this.#face.length;
  }

  /** Fills `into` with the shard's images in a batch, -1 .. 1. [batch / shards, size, size, 3] */
  read(batch: number, shard: number, into: Float32Array): void {
    if (into.length !== this.length)
      throw new RangeError(`${into.length} numbers are no batch of ${this.length}`);
    let offset = 0;
    for (const index of this.#sampler.indices(batch, shard)) {
      this.#faces.read([index], this.#face);
      normalise(this.#face, into.subarray(offset, offset + this.#face.length));
      offset += this.#face.length;
    }
  }
}
