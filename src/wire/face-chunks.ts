import { CHUNK_BYTES } from './codec.js';

/** Bytes of a chunk of images: whole faces, so that a chunk can be read and kept by itself. */
export function imageChunkBytes(faceBytes: number): number {
  return Math.max(1, Math.floor(CHUNK_BYTES / faceBytes)) * faceBytes;
}
