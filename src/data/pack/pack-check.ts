import { open } from 'node:fs/promises';
import { codeOf } from '../../common/errors.js';
import { DamagedPack } from '../faces.js';
import {
  decodeHeader,
  HEADER_BYTES,
  packBytes,
  pixelHash,
  type PackHeader,
  type ReadHeader,
} from './pack-format.js';

/** Bytes that are read at a time: hashing them takes some 3 ms. */
const BLOCK_BYTES = 2 ** 22;

/** A file's header, and the SHA-256 of its pixels. */
export interface PackContent {
  readonly header: ReadHeader;
  /** Hexadecimal. */
  readonly digest: string;
}

/**
 * Reads a pack whole: some 0.04 s of processor time for 4,000 faces of 64 pixels, 0.9 s for each GB. Throws DamagedPack
 * if the file is not a whole pack.
 */
export async function readPackContent(path: string): Promise<PackContent> {
  const file = await open(path, 'r');
  try {
    const block = Buffer.allocUnsafe(BLOCK_BYTES);
    const { bytesRead } = await file.read(block, 0, HEADER_BYTES, 0);
    const header = decodeHeader(block.subarray(0, bytesRead));
    const { size: length } = await file.stat();
    if (!header || length !== packBytes(header)) throw new DamagedPack(`${path} is not a whole pack`);
    const hash = pixelHash(header.size);
    for (let position = HEADER_BYTES; position < length;) {
      const { bytesRead: bytes } = await file.read(block, 0, BLOCK_BYTES, position);
      if (bytes === 0) throw new DamagedPack(`${path} was cut off while it was read`);
      hash.update(block.subarray(0, bytes));
      position += bytes;
    }
    return { header, digest: hash.digest('hex') };
  } finally {
    await file.close();
  }
}

/** Tells whether the file holds the whole dataset of this fingerprint, pixel by pixel. */
export async function isPackOf(path: string, fingerprint: string): Promise<boolean> {
  const content = await contentOf(path);
  return content?.digest === fingerprint && content.header.fingerprint === fingerprint;
}

/** Tells whether the file holds, as it was written, the part of a dataset that this header describes. */
export async function isPackOfPart(path: string, part: PackHeader): Promise<boolean> {
  const content = await contentOf(path);
  if (!content) return false;
  const { header, digest } = content;
  return (
    header.fingerprint === part.fingerprint &&
    header.count === part.count &&
    header.size === part.size &&
    header.digest === digest.slice(0, header.digest.length)
  );
}

async function contentOf(path: string): Promise<PackContent | undefined> {
  try {
    return await readPackContent(path);
  } catch (error) {
    // A system error: a block that the disk cannot read, a file that this user may not read.
    if (error instanceof DamagedPack || codeOf(error) !== undefined) return undefined;
    throw error;
  }
}
