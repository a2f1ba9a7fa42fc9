import { open, rename, rm, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { temporaryName } from './temporary-name.js';
import { writeFailure } from './write-failure.js';

/**
 * Writes a file whole or not at all: `fill` writes to a temporary file beside it, which is synced and renamed.
 * Whatever goes wrong (a full disk, say), the temporary file is removed and the old file stays. System errors become a
 * WriteFailure that names `path`.
 */
export async function writeFileAtomically(
  path: string,
  fill: string | Uint8Array | ((file: FileHandle) => Promise<void>),
): Promise<void> {
  const temporary = temporaryName(path);
  try {
    const file = await open(temporary, 'w');
    try {
      if (typeof fill === 'function') await fill(file);
      else await file.writeFile(fill);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
    await syncFolder(dirname(path));
  } catch (error) {
    // On a read-only file system it cannot be removed either, which must not hide the first error.
    await rm(temporary, { force: true }).catch(() => undefined);
    throw writeFailure(path, error);
  }
}

/** Makes a rename in this folder last through a power cut, where the platform can. */
export async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
