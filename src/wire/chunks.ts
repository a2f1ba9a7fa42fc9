import { CHUNK_BYTES } from './codec.js';

/** Cuts an array of `total` bytes into the places of its chunks. */
export function* chunkOffsets(total: number): Generator<{ offset: number; length: number }> {
  for (let offset = 0; offset < total; offset += CHUNK_BYTES)
    yield { offset, length: Math.min(CHUNK_BYTES, total - offset) };
}
