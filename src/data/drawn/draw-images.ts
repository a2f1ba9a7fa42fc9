import sharp from 'sharp';
import { DrawnFolder } from './drawn-folder.js';
import { drawFace } from './face-drawing.js';

export interface DrawRequest {
  readonly folder: string;
  readonly count: number;
  readonly seed: number;
  /** The folder is a part of the cache: what is wrong in it is put right. */
  readonly isOwn: boolean;
  /** Faces drawn at a time. */
  readonly painters: number;
}

export interface DrawProgress {
  progress(done: number, total: number): void;
  /** Called with the count of faces drawn. `damaged`: the folder was complete, but some files have changed. */
  begins(faces: number, damaged: boolean): void;
}

/** Draws the faces that the folder lacks. */
export async function drawImages(
  { folder, count, seed, isOwn, painters }: DrawRequest,
  report: DrawProgress,
): Promise<void> {
  const drawn = await DrawnFolder.open(folder, { count, seed }, isOwn);
  if (await drawn.isWhole()) {
    report.progress(count, count);
    return;
  }
  sharp.cache(false);
  sharp.concurrency(1);
  // If nothing tells which faces of the cache are right, all are drawn and compared.
  const all = Array.from({ length: count }, (_, index) => index);
  const missing = isOwn && !drawn.isBegun ? all : await drawn.missing();
  if (missing.length > 0) report.begins(missing.length, isOwn && drawn.isComplete);
  const indices = missing.values();
  let done = count - missing.length;
  const paint = async (): Promise<void> => {
    for (const index of indices) {
      const png = await sharp(Buffer.from(drawFace(seed, index)))
        .removeAlpha()
        .png()
        .toBuffer();
      if (!(await drawn.read(index))?.equals(png)) await drawn.place(index, png);
      report.progress(++done, count);
    }
  };
  // All painters take from one iterator.
  await Promise.all(Array.from({ length: painters }, paint));
  await drawn.complete();
  report.progress(count, count);
}
