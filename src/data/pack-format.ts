import { CHANNELS } from './pixels.js';

/**
 * A pack: decoded faces in one file, so that no run decodes them twice.
 *
 *     0   magic        8 bytes
 *     8   size         uint32: faces are size x size
 *     12  count        uint32
 *     16  fingerprint  32 bytes: sha-256 of size and all pixels of the dataset
 *     48  zeros
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

export const HEADER_BYTES = 64;
const MAGIC = 'DCGANPK1';
const MAX_SIZE = 4096;

export function faceBytes(size: number): number {
  return size * size * CHANNELS;
}

export function packBytes({ size, count }: PackHeader): number {
  return HEADER_BYTES + count * faceBytes(size);
}

export function encodeHeader({ size, count, fingerprint }: PackHeader): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES);
  bytes.write(MAGIC, 'latin1');
  bytes.writeUInt32LE(size, 8);
  bytes.writeUInt32LE(count, 12);
  bytes.write(fingerprint, 16, 'hex');
  return bytes;
}

/** Undefined if these bytes do not begin a pack. */
export function decodeHeader(bytes: Buffer): PackHeader | undefined {
  if (bytes.length < HEADER_BYTES || bytes.toString('latin1', 0, 8) !== MAGIC) return undefined;
  const size = bytes.readUInt32LE(8);
  if (size === 0 || size > MAX_SIZE) return undefined;
  return { size, count: bytes.readUInt32LE(12), fingerprint: bytes.toString('hex', 16, 48) };
}
