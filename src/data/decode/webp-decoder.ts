import { BrokenImage, checkSize, type Picture, type Size } from '../pixels/pixels.js';
import { decodeBySharp } from './sharp-decoder.js';

const RIFF_HEADER_BYTES = 12;
const CHUNK_HEADER_BYTES = 8;
const SIZE_BITS = 0x3fff;
/** Chunks that make up a picture. Others are profiles and metadata. */
const NEEDED = ['VP8 ', 'VP8L', 'VP8X', 'ALPH', 'ANIM', 'ANMF'];

interface Chunk {
  readonly type: string;
  readonly body: Buffer;
  /** Header, body and padding. */
  readonly whole: Buffer;
}

/** Opens a WebP, to decode it without its metadata and its frames behind the first, which libvips would all read. */
export function openWebp(file: Buffer): Picture {
  try {
    const parts: Buffer[] = [];
    for (const { type, whole } of chunks(file)) {
      if (NEEDED.includes(type)) parts.push(whole);
      if (type === 'ANMF') break;
    }
    const header = Buffer.from(file.subarray(0, RIFF_HEADER_BYTES));
    header.writeUInt32LE(4 + parts.reduce((sum, { length }) => sum + length, 0), 4);
    const size = readSize(file);
    checkSize(size);
    return { ...size, decode: () => decodeBySharp(Buffer.concat([header, ...parts]), 'webp', 'error') };
  } catch (error) {
    throw error instanceof RangeError ? new BrokenImage('its webp data is cut off') : error;
  }
}

function readSize(file: Buffer): Size {
  for (const { type, body } of chunks(file)) {
    if (type === 'VP8X') return { width: 1 + body.readUIntLE(4, 3), height: 1 + body.readUIntLE(7, 3) };
    if (type === 'VP8 ')
      return { width: body.readUInt16LE(6) & SIZE_BITS, height: body.readUInt16LE(8) & SIZE_BITS };
    if (type === 'VP8L') {
      const bits = body.readUInt32LE(1);
      return { width: 1 + (bits & SIZE_BITS), height: 1 + ((bits >>> 14) & SIZE_BITS) };
    }
  }
  throw new BrokenImage('its webp data holds no picture');
}

function* chunks(file: Buffer): Generator<Chunk> {
  for (let at = RIFF_HEADER_BYTES; at + CHUNK_HEADER_BYTES <= file.length;) {
    const start = at + CHUNK_HEADER_BYTES;
    const length = file.readUInt32LE(at + 4);
    const end = start + length + (length % 2);
    const type = file.toString('latin1', at, at + 4);
    yield { type, body: file.subarray(start, start + length), whole: file.subarray(at, end) };
    at = end;
  }
}
