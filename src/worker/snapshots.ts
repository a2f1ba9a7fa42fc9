import { bytesOf } from '../common/bytes.js';
import { sharedFloats } from '../model/replica-protocol.js';
import { CHUNK_BYTES } from '../wire/codec.js';
import { Content, type Bodies } from '../wire/message.js';
import { Rejection } from '../wire/rejection.js';

export type SnapshotContent = typeof Content.STATE | typeof Content.SAMPLES;

/**
 * Copies that the coordinator fetches while training continues, one of each content. An array is used again: the
 * coordinator reads one copy to its end before it requests the next.
 */
export class Snapshots {
  readonly #arrays = new Map<Content, Float32Array>();

  /** Returns the array for a copy. */
  room(content: SnapshotContent, length: number): Float32Array {
    const into = this.#arrays.get(content) ?? sharedFloats(length);
    this.#arrays.set(content, into);
    return into;
  }

  /** Returns the requested chunk. Throws a Rejection if there is none. */
  chunk({ content, shard, offset, request }: Bodies['fetch']): Bodies['chunk'] {
    const snapshot = this.#arrays.get(content);
    if (!snapshot || offset >= snapshot.byteLength)
      throw new Rejection('unexpected', `no snapshot of content ${content} has a byte ${offset}`);
    const bytes = bytesOf(snapshot);
    const payload = bytes.subarray(offset, offset + CHUNK_BYTES);
    return { content, shard, offset, total: bytes.length, request, payload };
  }
}
