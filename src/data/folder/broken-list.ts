import { printable } from '#printable';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { writeFileAtomically } from '../../common/files/atomic-file.js';
import { readablePath } from './byte-names.js';
import type { BrokenFile } from '../pack/pack-cache.js';

const KEPT = 30 * 24 * 60 * 60 * 1000; // milliseconds

/**
 * Writes all broken images of a folder to a text file in the cache and returns its path. A folder has one such file,
 * which the next list replaces.
 */
export async function writeBrokenList(
  cache: string,
  root: string,
  broken: readonly BrokenFile[],
): Promise<string> {
  const folder = join(cache, 'broken-images');
  mkdirSync(folder, { recursive: true });
  removeOld(folder);
  const name = createHash('sha256').update(resolve(root)).digest('hex').slice(0, 16);
  const path = join(folder, `${name}.txt`);
  await writeFileAtomically(path, broken.map((file) => `${printable(describeBroken(file))}\n`).join(''));
  return path;
}

/** Returns "people/1.jpg: cut off". */
export function describeBroken({ path, reason }: BrokenFile): string {
  return `${readablePath(path)}: ${reason}`;
}

function removeOld(folder: string): void {
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    const { mtimeMs } = statSync(path, { throwIfNoEntry: false }) ?? { mtimeMs: Date.now() };
    if (Date.now() - mtimeMs > KEPT) rmSync(path, { force: true });
  }
}
