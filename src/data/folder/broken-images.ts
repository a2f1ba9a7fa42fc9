import { UserError } from '../../common/errors.js';
import { describeBroken, writeBrokenList } from './broken-list.js';
import type { BrokenFile } from '../pack/pack-cache.js';

export interface BrokenLimit {
  /** The image folder. */
  readonly root: string;
  readonly cache: string;
  /** 0 .. 1 */
  readonly maxBrokenShare: number;
  /** True if the user can be told to raise --max-broken. */
  readonly offersMaxBroken: boolean;
}

/** Broken images that are named one by one. A file lists all if there are more. */
const NAMED = 10;

/**
 * Returns a line for each of the first ten broken images of a folder, and one for all others. Throws a UserError that
 * has these lines if more of the `images` images are broken than the limit allows.
 */
export async function reportBroken(
  { root, cache, maxBrokenShare, offersMaxBroken }: BrokenLimit,
  broken: readonly BrokenFile[],
  images: number,
): Promise<readonly string[]> {
  const lines = await nameBroken(root, cache, broken);
  const allowed = Math.floor(maxBrokenShare * images);
  if (broken.length <= allowed) return lines.map((line) => `skipped ${line}`);
  throw new UserError(
    `too many broken images in ${root}: ${broken.length} of ${images}, ` +
      `${offersMaxBroken ? `--max-broken ${maxBrokenShare} allows` : 'at most'} ${allowed} ` +
      `(${lines.join('; ')}): repair or remove them${offersMaxBroken ? ', or raise --max-broken' : ''}`,
  );
}

/** Returns "people/1.jpg: cut off" for the first ten, and how many others are in which file. */
export async function nameBroken(
  root: string,
  cache: string,
  broken: readonly BrokenFile[],
): Promise<readonly string[]> {
  const named = broken.slice(0, NAMED).map(describeBroken);
  const others = broken.length - named.length;
  if (others === 0) return named;
  // Without the list, the first ten still help.
  const list = await writeBrokenList(cache, root, broken).catch(() => undefined);
  const whereListed = list === undefined ? '' : `, all listed in ${list}`;
  return [...named, `${others} more broken image${others === 1 ? '' : 's'}${whereListed}`];
}
