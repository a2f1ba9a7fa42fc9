import type { Stats } from 'node:fs';
import { access, constants, lstat, readFile, readlink } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { codeOf, UserError } from '../errors.js';

/** Mode bits with which group or others can change a file or the entries of a directory. */
const OTHERS_WRITE = 0o022;
const ALL_WRITE = 0o002;

/** Only the owner of an entry of such a directory can replace it. */
const STICKY = 0o1000;

/** Limit of symbolic links in a path, as in Linux. */
const MOST_LINKS = 40;

/**
 * Throws a UserError if a user other than root and this one can change what is at `path`, or put something else in its
 * place: as OpenSSH's StrictModes, by owner and mode of the file and of every directory on the way to it, links included.
 * What is on a read-only mount, such as a Secret's, is trusted. A path that does not exist is checked as far as it does.
 */
export async function requireTrusted(path: string, what: string): Promise<void> {
  await check(path, what, OTHERS_WRITE);
}

/** The same for a path that is about to be made or filled: only the directories on the way to it must be safe. */
export async function requireTrustedPlace(path: string, what: string): Promise<void> {
  await check(path, what, 0);
}

/** `ofLast`: bits that the mode of what the path leads to must not have. */
async function check(path: string, what: string, ofLast: number): Promise<void> {
  const self = process.geteuid?.();
  // Windows has no such owners and modes.
  if (self === undefined) return;
  const { entries, isWhole } = await entriesOf(path);
  // In a user namespace root is shown as the user that owns the root directory.
  const trusted = new Set([0, self, entries[0].stats.uid]);
  const ownGroup = await privateGroup();
  for (const [index, { at, stats }] of entries.entries()) {
    const fault = ((): string | undefined => {
      if (!trusted.has(stats.uid))
        return `${at} belongs to user ${stats.uid}, expected root or user ${self}; use a copy in a folder of your own`;
      if (stats.isSymbolicLink()) return undefined;
      const isLast = isWhole && index === entries.length - 1;
      const writers = stats.mode & (isLast ? ofLast : writersOf(stats, ownGroup));
      if (writers === 0) return undefined;
      const mode = (stats.mode & 0o7777).toString(8);
      return `other users can write to ${at} (mode ${mode}); run chmod go-w on it and check what is in it`;
    })();
    if (fault !== undefined && !(await isReadOnly(at, stats)))
      throw new UserError(`${what} ${path}: ${fault}`);
  }
}

/** Bits of a directory's mode by which others can replace its entries. */
function writersOf({ mode, gid }: Stats, ownGroup: number | undefined): number {
  if (mode & STICKY) return 0;
  return gid === ownGroup ? ALL_WRITE : OTHERS_WRITE;
}

interface Entry {
  readonly at: string;
  readonly stats: Stats;
}

/** Every directory, link and file that is looked up for a path, from the root on; `isWhole` if all of them exist. */
async function entriesOf(path: string): Promise<{ entries: [Entry, ...Entry[]]; isWhole: boolean }> {
  let at = '/';
  let links = 0;
  const entries: [Entry, ...Entry[]] = [{ at, stats: await lstat(at) }];
  const rest = namesOf(resolve(path));
  for (let name = rest.shift(); name !== undefined; name = rest.shift()) {
    const next = name === '..' ? dirname(at) : join(at, name);
    // Below it are this process's own open files, such as a shell's <(...).
    if (next === '/proc') return { entries, isWhole: false };
    const stats = await lstat(next).catch((error: unknown) => {
      if (['ENOENT', 'ENOTDIR', 'EACCES'].includes(codeOf(error) ?? '')) return undefined;
      throw error;
    });
    // Who opens the path says what is the matter.
    if (!stats) return { entries, isWhole: false };
    entries.push({ at: next, stats });
    if (stats.isSymbolicLink()) {
      if (++links > MOST_LINKS) return { entries, isWhole: false };
      const target = await readlink(next);
      rest.unshift(...namesOf(target));
      if (isAbsolute(target)) at = '/';
    } else at = next;
  }
  return { entries, isWhole: true };
}

function namesOf(path: string): string[] {
  return path.split('/').filter((name) => name !== '' && name !== '.');
}

async function isReadOnly(path: string, stats: Stats): Promise<boolean> {
  try {
    await access(stats.isSymbolicLink() ? dirname(path) : path, constants.W_OK);
    return false;
  } catch (error) {
    return codeOf(error) === 'EROFS';
  }
}

/** The group of the user's own name that has no other member, which many systems let write to all new directories. */
async function privateGroup(): Promise<number | undefined> {
  try {
    const { username, gid } = userInfo();
    const groups = (await readFile('/etc/group', 'utf8')).split('\n').map((line) => line.split(':'));
    const own = groups.find(([name, , id]) => name === username && id === String(gid));
    return own && ['', username].includes(own[3]) ? gid : undefined;
  } catch {
    return undefined; // a user without an entry
  }
}
