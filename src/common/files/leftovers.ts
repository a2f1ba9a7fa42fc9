import { readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { isAbandoned, isTemporaryName } from './temporary-name.js';

/**
 * Removes the temporary files of processes that have ended from a folder, unless they are another user's. In a folder of
 * the cache, unlike one of the user's, any name that ends in .tmp is temporary.
 */
export function removeAbandoned(
  folder: string,
  { now = Date.now(), isTemporary = isTemporaryName }: AbandonedOptions = {},
): void {
  for (const name of namesIn(folder)) {
    const path = join(folder, name);
    if (isTemporary(name) && isAbandoned(name, ageOf(path, now))) tryToRemove(path);
  }
}

export interface AbandonedOptions {
  readonly now?: number;
  readonly isTemporary?: (name: string) => boolean;
}

/** Returns the milliseconds since a file was last written; 0 if it is gone or out of reach. */
export function ageOf(path: string, now: number): number {
  try {
    return now - statSync(path).mtimeMs;
  } catch {
    return 0;
  }
}

/** Removes a file or folder, unless it is another user's. */
export function tryToRemove(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true });
  } catch {
    // Another user's file in a shared folder, or one that is in use. It costs room and nothing else.
  }
}

/** Lists a folder; nothing if it is not there or may not be read. */
export function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
