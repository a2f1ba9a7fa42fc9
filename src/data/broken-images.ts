import { UserError } from '../common/errors.js';
import { describeBroken, writeBrokenList } from './broken-list.js';
import type { BrokenFile } from './pack-cache.js';

export interface BrokenLimit {
  /** The image folder. */
  readonly root: string;
  readonly cache: string;
  /** 0 .. 1 */
  readonly maxBrokenShare: number;
  /** Whether the user can be told to raise --max-broken. */
  readonly offersMaxBroken: boolean;
}

/** Broken images that are named one by one. A file lists all if there are more. */
const NAMED = 10;

/**
 * Returns a line for each of the first ten broken images of a folder, and one for all others. Throws a UserError that
 * names the first ten if more of the `images` images are broken than the limit allows.
 */
export async function reportBroken(
  { root, cache, maxBrokenShare, offersMaxBroken }: BrokenLimit,
  broken: readonly BrokenFile[],
  images: number,
): Promise<readonly string[]> {
  const named = broken.slice(0, NAMED).map(describeBroken);
  const others = broken.length - named.length;
  // Without a list the first ten still help.
  const list = others === 0 ? undefined : await writeBrokenList(cache, root, broken).catch(() => undefined);
  const whereListed = list === undefined ? '' : `, all listed in ${list}`;
  const allowed = Math.floor(maxBrokenShare * images);
  if (broken.length <= allowed) {
    const more = others === 0 ? [] : [`${others} more broken image${others === 1 ? '' : 's'}${whereListed}`];
    return [...named, ...more].map((line) => `skipped ${line}`);
  }
  const more = others === 0 ? [] : [`and ${others} more${whereListed}`];
  throw new UserError(
    `too many broken images in ${root}: ${broken.length} of ${images}, ` +
      `${offersMaxBroken ? `--max-broken ${maxBrokenShare} allows` : 'at most'} ${allowed} ` +
      `(${[...named, ...more].join('; ')}): repair or remove them${offersMaxBroken ? ', or raise --max-broken' : ''}`,
  );
}
