import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { codeOf } from '../../common/errors.js';
import { systemPath } from '../folder/byte-names.js';
import type { ListedFile } from '../folder/image-folder.js';
import { HEAD_BYTES, kindOf } from '../decode/image-kind.js';
import { keyHash } from './pack-cache.js';

/** Bytes that are read at a time. */
const BLOCK_BYTES = 2 ** 20;

/** Time between turns of the event loop, in milliseconds. */
const TURN = 50;

/**
 * Names a listing by the content of its files: equal keys mean equal faces, wherever the folder lies and whatever times
 * its files have. Reads every image once: 50,000 of 8 KB take 0.7 s of processor time.
 */
export async function contentKey(
  root: string,
  files: readonly ListedFile[],
  size: number,
  onProgress: (done: number, total: number) => void,
): Promise<string> {
  const hash = keyHash('content', size);
  const block = Buffer.allocUnsafe(BLOCK_BYTES);
  let turned = performance.now();
  for (const [index, { path }] of files.entries()) {
    hash.update(`${JSON.stringify(path)} ${digestOf(join(root, path), block)}\n`);
    if (performance.now() - turned < TURN) continue;
    onProgress(index + 1, files.length);
    await nextTurn(); // Progress goes out, and the end of the parent process is noticed.
    turned = performance.now();
  }
  return hash.digest('hex');
}

/** The SHA-256 of what decoding looks at: all of an image, the head of any other file, the error of one out of reach. */
function digestOf(path: string, block: Buffer): string {
  try {
    const file = openSync(systemPath(path), 'r');
    try {
      const hash = createHash('sha256');
      let bytes = readSync(file, block);
      const isImage = kindOf(block.subarray(0, Math.min(bytes, HEAD_BYTES))) !== undefined;
      if (!isImage) bytes = Math.min(bytes, HEAD_BYTES);
      do hash.update(block.subarray(0, bytes));
      while (isImage && (bytes = readSync(file, block)) > 0);
      return hash.digest('hex');
    } finally {
      closeSync(file);
    }
  } catch (error) {
    const code = codeOf(error);
    if (code === undefined) throw error;
    return code;
  }
}
