import { faceBytes, type Faces, type Sampler } from '../../data/index.js';
import { CHUNK_BYTES } from '../../wire/codec.js';
import { imageChunkBytes } from '../../wire/face-chunks.js';
import { Content, type Bodies } from '../../wire/message.js';
import { Rejection } from '../../wire/rejection.js';
import type { StateSource } from '../compute-group.js';

/** What workers fetch from the coordinator: the state to begin with, and the images of their shards. */
export class ContentSource {
  constructor(
    private readonly faces: Faces,
    private readonly sampler: Sampler,
    private readonly state: StateSource | undefined,
  ) {}

  /** The chunk that was asked for. Throws a Rejection where there is none. */
  async chunk({ content, shard, offset }: Bodies['fetch']): Promise<Bodies['chunk']> {
    if (content === Content.STATE && this.state && offset < this.state.bytes) {
      const total = this.state.bytes;
      return {
        content,
        shard,
        offset,
        total,
        payload: await this.state.read(offset, Math.min(CHUNK_BYTES, total - offset)),
      };
    }
    if (content === Content.IMAGES && shard < this.sampler.options.shards) {
      const total = this.sampler.sizeOf(shard) * this.#face;
      if (offset < total && offset % this.#face === 0)
        return { content, shard, offset, total, payload: this.#images(shard, offset, total) };
    }
    throw new Rejection('out_of_range', `there is no byte ${offset} of content ${content}, shard ${shard}`);
  }

  get #face(): number {
    return faceBytes(this.faces.size);
  }

  /** A shard's images one after the other, in the order of their numbers. */
  #images(shard: number, offset: number, total: number): Uint8Array {
    const first = offset / this.#face;
    const count = Math.min(imageChunkBytes(this.#face), total - offset) / this.#face;
    const payload = new Uint8Array(count * this.#face);
    this.faces.read(
      Array.from({ length: count }, (_, index) => this.sampler.imageOf(shard, first + index)),
      payload,
    );
    return payload;
  }
}
