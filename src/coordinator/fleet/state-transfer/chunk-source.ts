import { faceBytes, type Faces, type Sampler } from '../../../data/index.js';
import { CHUNK_BYTES } from '../../../wire/codec.js';
import { imageChunkBytes } from '../../../wire/face-chunks.js';
import type { Bodies } from '../../../wire/message.js';
import { Rejection } from '../../../wire/rejection.js';
import type { StateSource } from '../../../model/state-source.js';

/** Chunks of what workers fetch. Each throws a Rejection for a byte that there is not. */
export class ChunkSource {
  constructor(
    private readonly faces: Faces,
    private readonly sampler: Sampler,
  ) {}

  async state(
    from: StateSource,
    { content, shard, offset, request }: Bodies['fetch'],
  ): Promise<Bodies['chunk']> {
    const total = from.bytes;
    if (offset >= total) throw new Rejection('out_of_range', `there is no byte ${offset} of ${total}`);
    const payload = await from.read(offset, Math.min(CHUNK_BYTES, total - offset));
    return { content, shard, offset, total, request, payload };
  }

  /** A shard's images one after the other, in the order of their numbers. */
  images({ content, shard, offset, request }: Bodies['fetch']): Bodies['chunk'] {
    const face = faceBytes(this.faces.size);
    const total = shard < this.sampler.options.shards ? this.sampler.sizeOf(shard) * face : 0;
    if (offset >= total || offset % face !== 0)
      throw new Rejection('out_of_range', `there is no image at byte ${offset} of shard ${shard}`);
    const first = offset / face;
    const count = Math.min(imageChunkBytes(face), total - offset) / face;
    const payload = new Uint8Array(count * face);
    this.faces.read(
      Array.from({ length: count }, (_, index) => this.sampler.imageOf(shard, first + index)),
      payload,
    );
    return { content, shard, offset, total, request, payload };
  }
}
