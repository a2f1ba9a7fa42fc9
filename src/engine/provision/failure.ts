import { codeOf, messageOf } from '../../common/errors.js';

/**
 * Why there is no native engine and what would bring it: not a fault, since training goes on with wasm.
 * `retryAfter`: how long a start does not try again by itself, so that none waits for the same failure twice.
 */
export class ProvisionFailure extends Error {
  override readonly name = 'ProvisionFailure';

  constructor(
    readonly reason: string,
    readonly remedy: string,
    /** Milliseconds. */
    readonly retryAfter = 0,
  ) {
    super(`${reason}; ${remedy}`);
  }
}

/** How every remedy that this project can carry out ends. */
export const RETRY = 'run npm run setup for the native engine';

export const HOUR = 60 * 60 * 1000;
export const DAY = 24 * HOUR;

/** What went wrong, in the user's terms: disk and cache folder are theirs to put right, whichever tool met them. */
export function toFailure(error: unknown, cache: string): ProvisionFailure {
  const code = codeOf(error);
  const message = messageOf(error);
  if (code === 'ENOSPC' || code === 'EDQUOT' || /No space left on device|Disk quota exceeded/.test(message)) {
    return diskFull(cache);
  }
  if (error instanceof ProvisionFailure) return error;
  if (code !== undefined && ['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EEXIST'].includes(code)) {
    return new ProvisionFailure(
      `the cache folder ${cache} cannot be written to (${code})`,
      `set DCGAN_CACHE to a folder that can, and ${RETRY}`,
    );
  }
  return new ProvisionFailure(message, RETRY, HOUR);
}

export function diskFull(cache: string, needed?: number): ProvisionFailure {
  const amount = needed === undefined ? 'space' : `${(needed / 1e9).toFixed(1)} GB`;
  return new ProvisionFailure(
    `the disk of the cache folder ${cache} is full`,
    `free ${amount} there or set DCGAN_CACHE to a folder on another disk, and ${RETRY}`,
    HOUR,
  );
}
