import type { Faces } from './faces.js';
import { normaliseFaces } from './pixels/normalise.js';
import { faceBytes } from './pack/pack-format.js';
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
    const mirrored = this.#sampler.mirrored(batch, shard);
    for (const [place, index] of this.#sampler.indices(batch, shard).entries()) {
      this.#faces.read([index], this.#face);
      const part = into.subarray(offset, offset + this.#face.length);
      normaliseFaces(this.#face, this.#faces.size, mirrored?.slice(place, place + 1), part);
      offset += this.#face.length;
    }
  }
}
