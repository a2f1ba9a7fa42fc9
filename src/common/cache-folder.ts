import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

/** Names the folder that holds what can be made again: engine, drawn faces, decoded faces. */
export const CACHE_VARIABLE = 'DCGAN_CACHE';

/** DCGAN_CACHE, or dcgan-trainer in the XDG cache folder. Absolute. */
export function cacheFolder(environment: NodeJS.ProcessEnv = process.env): string {
  const own = environment[CACHE_VARIABLE];
  if (own) return resolve(own);
  return join(environment['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'dcgan-trainer');
}
