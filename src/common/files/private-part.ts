import { chmodSync, lstatSync, mkdirSync, statSync, type Stats } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../errors.js';

/** Mode bits of others and of the group. */
const OTHERS_WRITE = 0o002;
const ANY_OTHER_WRITE = 0o022;

/**
 * Returns the part of a folder that only this user can write to: the folder itself, or, if all users of the machine may
 * write there (/tmp, a shared disk), its sub-folder user-UID. Files of other users are thus neither trusted nor in the
 * way. Creates the folder, so that every call returns the same. Throws a UserError if the part is another user's.
 */
export function privatePart(folder: string): string {
  const user = process.geteuid?.();
  makeFolder(folder, 0o755);
  const stat = tryTo(() => statSync(folder));
  if (user === undefined || !stat || (stat.mode & OTHERS_WRITE) === 0) return folder;

  const part = join(folder, `user-${user}`);
  makeFolder(part, 0o700);
  const own = tryTo(() => lstatSync(part));
  if (own && !isOf(own, user))
    throw new UserError(
      `${part} belongs to another user, expected a folder of this one: remove it, or set DCGAN_CACHE to another folder`,
    );
  if (own && (own.mode & ANY_OTHER_WRITE) !== 0)
    tryTo(() => {
      chmodSync(part, 0o700);
    });
  return part;
}

function isOf(stat: Stats, user: number): boolean {
  return stat.isDirectory() && stat.uid === user;
}

/** Creates a folder if possible. Code that writes there reports the failure; reading works without it. */
function makeFolder(path: string, mode: number): void {
  tryTo(() => mkdirSync(path, { recursive: true, mode }));
}

function tryTo<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}
