import { createHash, type Hash } from 'node:crypto';
import { CHANNELS } from '../pixels/pixels.js';

/**
 * A pack: decoded faces in one file, so that no run decodes them twice.
 *
 *     0   magic        8 bytes
 *     8   size         uint32: faces are size x size
 *     12  count        uint32
 *     16  fingerprint  32 bytes: sha-256 of size and all pixels of the dataset
 *     48  digest       16 bytes: start of the sha-256 of size and the pixels of this file; zeros in packs of a dataset
 *     64  faces        uint8 [count, size, size, 3]
 *
 * Numbers are little endian. A pack may hold a part of a dataset (a shard's faces); its fingerprint is the whole's.
 */
export interface PackHeader {
  /** Pixels a side. */
  readonly size: number;
  readonly count: number;
  /** Hexadecimal. */
  readonly fingerprint: string;
}

/** Header of a file that has been read. */
export interface ReadHeader extends PackHeader {
  /** Hexadecimal. */
  readonly digest: string;
}

export const HEADER_BYTES = 64;
const DIGEST_BYTES = 16;
const MAGIC = 'DCGANPK1';
const MAX_SIZE = 4096;

export function faceBytes(size: number): number {
  return size * size * CHANNELS;
}

export function packBytes({ size, count }: PackHeader): number {
  return HEADER_BYTES + count * faceBytes(size);
}

/** Starts the hash of the pixels of faces. */
export function pixelHash(size: number): Hash {
  return createHash('sha256').update(`dcgan faces ${size}\n`);
}

/** `digest`: of the pixels, for the file of a part of the dataset. */
export function encodeHeader({ size, count, fingerprint }: PackHeader, digest = ''): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES);
  bytes.write(MAGIC, 'latin1');
  bytes.writeUInt32LE(size, 8);
  bytes.writeUInt32LE(count, 12);
  bytes.write(fingerprint, 16, 'hex');
  bytes.write(digest.slice(0, 2 * DIGEST_BYTES), 48, 'hex');
  return bytes;
}

/** Undefined if these bytes do not begin a pack. */
export function decodeHeader(bytes: Buffer): ReadHeader | undefined {
  if (bytes.length < HEADER_BYTES || bytes.toString('latin1', 0, 8) !== MAGIC) return undefined;
  const size = bytes.readUInt32LE(8);
  if (size === 0 || size > MAX_SIZE) return undefined;
  return {
    size,
    count: bytes.readUInt32LE(12),
    fingerprint: bytes.toString('hex', 16, 48),
    digest: bytes.toString('hex', 48, 48 + DIGEST_BYTES),
  };
}
