import { randomUUID } from 'node:crypto';
import { rename, rm, writeFile } from 'node:fs/promises';
import sharp from 'sharp';
import { codeOf, UserError } from '../common/errors.js';
import { DrawnFolder } from './drawn-folder.js';
import { drawFace } from './face-drawing.js';

export interface DrawRequest {
  readonly folder: string;
  readonly count: number;
  readonly seed: number;
  /** Faces drawn at a time. */
  readonly painters: number;
}

/** Draws the faces that the folder lacks. */
export async function drawImages(
  { folder, count, seed, painters }: DrawRequest,
  progress: (done: number, total: number) => void,
): Promise<void> {
  sharp.cache(false);
  sharp.concurrency(1);
  const drawn = await DrawnFolder.open(folder, seed);
  const missing = drawn.missing(count);
  const indices = missing.values();
  let done = count - missing.length;
  const paint = async (): Promise<void> => {
    for (const index of indices) {
      const png = await sharp(Buffer.from(drawFace(seed, index)))
        .removeAlpha()
        .png()
        .toBuffer();
      await place(drawn.pathOf(index), png);
      progress(++done, count);
    }
  };
  // All painters take from one iterator.
  await Promise.all(Array.from({ length: painters }, paint));
  progress(count, count);
}

/** Not synced: 4,000 syncs take minutes on some disks, and what a power cut takes is drawn again. */
async function place(path: string, png: Buffer): Promise<void> {
  const temporary = `${path}.${randomUUID()}.tmp`;
  try {
    await writeFile(temporary, png);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw codeOf(error) === 'ENOSPC' ? new UserError(`no space left for ${path}: make room there`) : error;
  }
}
