import { codeOf, messageOf } from '../../common/errors.js';

/**
 * Reason for a missing native engine, and the remedy. Not a fault, since training continues with wasm. `retryAfter`:
 * time in which a start does not try again, so that no start waits for the same failure twice.
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

/** End of each remedy that the project can carry out itself. */
export const RETRY = 'run npm run setup for the native engine';

export const HOUR = 60 * 60 * 1000;
export const DAY = 24 * HOUR;

/** Explains a failure in the user's terms: disk and cache folder, whichever tool failed. */
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
