import { existsSync, mkdirSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { codeOf } from '../errors.js';

/**
 * Creates a folder and its missing parents. Throws the system's error for the first one that cannot be created: Node's
 * recursive mkdir reports ENOENT on a read-only file system, and does not return below /proc.
 */
export function createFolder(path: string, mode = 0o777): void {
  const missing: string[] = [];
  for (let folder = resolve(path); !existsSync(folder); folder = dirname(folder)) missing.unshift(folder);
  for (const folder of missing)
    try {
      mkdirSync(folder, mode);
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error; // Another process has just created it.
    }
  // Throws if there is a file under this name.
  mkdirSync(path, { recursive: true });
}
