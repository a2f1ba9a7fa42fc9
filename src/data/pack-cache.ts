import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { writeFileAtomically } from '../common/atomic-file.js';
import { messageOf, UserError } from '../common/errors.js';
import { isPack } from './faces.js';
import type { ListedFile } from './image-folder.js';

/** Raise it when the same files would give other pixels than before. */
const PIPELINE_VERSION = 2;

const DAY = 24 * 60 * 60 * 1000;
const UNUSED_AFTER = 30 * DAY;
/** A packer that is still at work writes to its temporary file all the time. */
const ABANDONED_AFTER = DAY;

/** An image that could not be decoded. */
export interface BrokenFile {
  /** Below the root. */
  readonly path: string;
  readonly reason: string;
}

/** What came of an image folder. */
export interface Packed {
  readonly fingerprint: string;
  readonly count: number;
  readonly broken: readonly BrokenFile[];
}

function facesFolder(cache: string): string {
  return join(cache, 'faces');
}

/** Throws a UserError where there can be no cache. */
export function createFacesFolder(cache: string): void {
  try {
    mkdirSync(facesFolder(cache), { recursive: true });
  } catch (error) {
    throw new UserError(`cannot create the cache folder ${facesFolder(cache)}: ${messageOf(error)}`);
  }
}

/** Where the pack of this dataset lies, or would lie. */
export function packPath(cache: string, fingerprint: string): string {
  return join(facesFolder(cache), `${fingerprint}.pack`);
}

export function temporaryPackPath(cache: string, name: string): string {
  return join(facesFolder(cache), `${name}.tmp`);
}

/**
 * Names a folder's listing: the same files of the same lengths and times, decoded to the same size, need no
 * decoding again. The root is not part of it, so that a folder may be moved.
 */
export function listingKey(files: readonly ListedFile[], size: number): string {
  const hash = createHash('sha256').update(`${PIPELINE_VERSION} ${size}\n`);
  for (const file of files) hash.update(`${JSON.stringify(file.path)} ${file.size} ${file.modified}\n`);
  return hash.digest('hex');
}

function entryPath(cache: string, key: string): string {
  return join(facesFolder(cache), `${key}.json`);
}

/** What an earlier run noted under this key, if its pack is still there and whole. */
export function recall(cache: string, key: string): Packed | undefined {
  const packed = readEntry(entryPath(cache, key));
  return packed && isPack(packPath(cache, packed.fingerprint)) ? packed : undefined;
}

function readEntry(path: string): Packed | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Packed;
  } catch {
    return undefined;
  }
}

export async function remember(cache: string, key: string, packed: Packed): Promise<void> {
  await writeFileAtomically(entryPath(cache, key), JSON.stringify(packed));
}

/** Removes packs that nobody has used for 30 days, notes that lead to none, and what dead packers left. */
export function sweep(cache: string, now = Date.now()): void {
  const folder = facesFolder(cache);
  const names = readdirSync(folder);
  const age = (name: string): number =>
    now - (statSync(join(folder, name), { throwIfNoEntry: false })?.mtimeMs ?? now);
  for (const name of names) {
    const limit = name.endsWith('.pack') ? UNUSED_AFTER : name.endsWith('.tmp') ? ABANDONED_AFTER : Infinity;
    if (age(name) > limit) rmSync(join(folder, name), { force: true });
  }
  for (const name of names.filter((each) => each.endsWith('.json'))) {
    const packed = readEntry(join(folder, name));
    if (!packed || !existsSync(packPath(cache, packed.fingerprint)))
      rmSync(join(folder, name), { force: true });
  }
}
