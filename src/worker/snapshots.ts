import { bytesOf } from '../common/bytes.js';
import { sharedFloats } from '../model/replica-protocol.js';
import { CHUNK_BYTES } from '../wire/codec.js';
import { Content, type Bodies } from '../wire/message.js';
import { Rejection } from '../wire/rejection.js';

export type SnapshotContent = typeof Content.STATE | typeof Content.SAMPLES | typeof Content.RESIDUALS;

/**
 * Copies that the coordinator fetches while training goes on, one of each content, of RESIDUALS one of each shard. Each is
 * used again: the coordinator fetches one whole before it asks for another.
 */
export class Snapshots {
  /** By content, then by shard. */
  readonly #arrays = new Map<Content, Map<number, Float32Array>>();

  /** What a copy is to be made in. */
  room(content: SnapshotContent, length: number, shard = 0): Float32Array {
    const arrays = this.#arrays.get(content) ?? new Map<number, Float32Array>();
    this.#arrays.set(content, arrays);
    const into = arrays.get(shard) ?? sharedFloats(length);
    arrays.set(shard, into);
    return into;
  }

  /** What was asked for. Throws a Rejection for what there is not. */
  chunk({ content, shard, offset, request }: Bodies['fetch']): Bodies['chunk'] {
    const snapshot = this.#arrays.get(content)?.get(shard);
    if (!snapshot || offset >= snapshot.byteLength)
      throw new Rejection('unexpected', `no snapshot of content ${content} has a byte ${offset}`);
    const bytes = bytesOf(snapshot);
    const payload = bytes.subarray(offset, offset + CHUNK_BYTES);
    return { content, shard, offset, total: bytes.length, request, payload };
  }

  /** Shards that are elsewhere now need no room. */
  keepOnly(shards: readonly number[]): void {
    const arrays = this.#arrays.get(Content.RESIDUALS);
    for (const shard of arrays?.keys() ?? []) if (!shards.includes(shard)) arrays?.delete(shard);
  }
}
