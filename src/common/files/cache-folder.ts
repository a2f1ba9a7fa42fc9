import { homedir, userInfo } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { messageOf, UserError } from '../errors.js';
import { privatePart } from './private-part.js';

/** Names the folder that holds what can be made again: engine, drawn faces, decoded faces. */
export const CACHE_VARIABLE = 'DCGAN_CACHE';

/**
 * Returns the cache folder, or this user's part of one that all may write to. Absolute. Throws a UserError if no variable
 * names a folder and the user has no home folder.
 */
export function cacheFolder(environment: NodeJS.ProcessEnv = process.env): string {
  return privatePart(namedFolder(environment));
}

/**
 * DCGAN_CACHE, or dcgan-trainer in the XDG cache folder. An empty variable counts as not set, and XDG_CACHE_HOME must be
 * absolute, as its specification says.
 */
function namedFolder(environment: NodeJS.ProcessEnv): string {
  const own = environment[CACHE_VARIABLE];
  if (own) return resolve(own);
  const base = environment['XDG_CACHE_HOME'] ?? '';
  return join(isAbsolute(base) ? base : join(homeFolder(), '.cache'), 'dcgan-trainer');
}

function homeFolder(): string {
  let fault = 'its home folder is not absolute';
  for (const find of [homedir, () => userInfo().homedir])
    try {
      const home = find();
      if (isAbsolute(home)) return home;
    } catch (error) {
      fault = messageOf(error);
    }
  throw new UserError(
    `this user has no home folder for the cache (${fault}); set ${CACHE_VARIABLE} to a folder that it can write to`,
  );
}
