import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { privatePart } from './private-part.js';

/** Names the folder that holds what can be made again: engine, drawn faces, decoded faces. */
export const CACHE_VARIABLE = 'DCGAN_CACHE';

/** Returns the cache folder, or this user's part of one that all may write to. Absolute. */
export function cacheFolder(environment: NodeJS.ProcessEnv = process.env): string {
  return privatePart(namedFolder(environment));
}

/** DCGAN_CACHE, or dcgan-trainer in the XDG cache folder. */
function namedFolder(environment: NodeJS.ProcessEnv): string {
  const own = environment[CACHE_VARIABLE];
  if (own) return resolve(own);
  return join(environment['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'dcgan-trainer');
}
