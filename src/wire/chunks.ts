import { CHUNK_BYTES } from './codec.js';
import { Rejection } from './rejection.js';

/** Cuts an array of `total` bytes into the places of its chunks. */
export function* chunkOffsets(total: number): Generator<{ offset: number; length: number }> {
  for (let offset = 0; offset < total; offset += CHUNK_BYTES)
    yield { offset, length: Math.min(CHUNK_BYTES, total - offset) };
}

/** Puts an array together from chunks that come in order and without gaps, as one ordered connection brings them. */
export class ChunkAssembly {
  #received = 0;

  constructor(private readonly into: Uint8Array) {}

  get complete(): boolean {
    return this.#received === this.into.length;
  }

  /** Throws a Rejection for a chunk that is not the next one. */
  add(chunk: { readonly offset: number; readonly total: number; readonly payload: Uint8Array }): void {
    if (chunk.total !== this.into.length)
      throw new Rejection(
        'out_of_range',
        `a chunk of ${chunk.total} bytes where ${this.into.length} were expected`,
      );
    if (chunk.offset !== this.#received)
      throw new Rejection('unexpected', `a chunk at ${chunk.offset} where ${this.#received} was next`);
    this.into.set(chunk.payload, chunk.offset);
    this.#received += chunk.payload.length;
  }
}
