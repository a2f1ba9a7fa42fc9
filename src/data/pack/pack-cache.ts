import { createHash, type Hash } from 'node:crypto';
import { existsSync, readFileSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { writeFileAtomically } from '../../common/files/atomic-file.js';
import { createFolder } from '../../common/files/create-folder.js';
import { messageOf, UserError } from '../../common/errors.js';
import { ageOf, namesIn, removeAbandoned, tryToRemove } from '../../common/files/leftovers.js';
import { temporaryName } from '../../common/files/temporary-name.js';
import { LEFT_OUT_UNITS, type LeftOutKind } from '../folder/left-out.js';

/** Raise it when the same files would give other pixels than before, or when a note's fields change. */
const PIPELINE_VERSION = 2;

const UNUSED_AFTER = 30 * 24 * 60 * 60 * 1000;

/** An image that could not be decoded. */
export interface BrokenFile {
  /** Below the root. */
  readonly path: string;
  readonly reason: string;
}

/** Content of an image folder. */
export interface Packed {
  readonly fingerprint: string;
  readonly count: number;
  readonly broken: readonly BrokenFile[];
  /** Listed files without an image that can be read. */
  readonly leftOut: readonly LeftOutKind[];
}

function facesFolder(cache: string): string {
  return join(cache, 'faces');
}

/** Throws a UserError where there can be no cache. */
export function createFacesFolder(cache: string): void {
  try {
    createFolder(facesFolder(cache));
  } catch (error) {
    throw new UserError(`cannot create the cache folder ${facesFolder(cache)}: ${messageOf(error)}`);
  }
}

/** Path of this dataset's pack, which may not exist yet. */
export function packPath(cache: string, fingerprint: string): string {
  return join(facesFolder(cache), `${fingerprint}.pack`);
}

export function temporaryPackPath(cache: string): string {
  return join(facesFolder(cache), temporaryName('pack'));
}

/** Starts the hash that names a listing whose files are decoded to `size`. `kind` says what the key is made of. */
export function keyHash(kind: 'stat' | 'content', size: number): Hash {
  return createHash('sha256').update(`${PIPELINE_VERSION} ${kind} ${size}\n`);
}

function notePath(cache: string, key: string): string {
  return join(facesFolder(cache), `${key}.json`);
}

/** Reads the note of an earlier run; undefined if there is none, or none that this program wrote whole. */
export function recall(cache: string, key: string): Packed | undefined {
  const path = notePath(cache, key);
  const packed = readNote(path);
  if (packed) markUsed(path);
  return packed;
}

function readNote(path: string): Packed | undefined {
  try {
    const note: unknown = JSON.parse(readFileSync(path, 'utf8'));
    return isPacked(note) ? note : undefined;
  } catch {
    return undefined;
  }
}

/** A note of another version, of a foreign program or of a damaged disk may hold anything. */
function isPacked(note: unknown): note is Packed {
  if (!isObject(note)) return false;
  const { fingerprint, count, broken, leftOut } = note;
  return (
    typeof fingerprint === 'string' &&
    /^[0-9a-f]{64}$/.test(fingerprint) &&
    Number.isSafeInteger(count) &&
    Number(count) > 0 &&
    Array.isArray(broken) &&
    broken.every(isBrokenFile) &&
    Array.isArray(leftOut) &&
    leftOut.every(isLeftOutKind)
  );
}

function isBrokenFile(file: unknown): file is BrokenFile {
  return isObject(file) && typeof file['path'] === 'string' && typeof file['reason'] === 'string';
}

function isLeftOutKind(kind: unknown): kind is LeftOutKind {
  if (!isObject(kind)) return false;
  const { unit, what, count, example, fault } = kind;
  return (
    LEFT_OUT_UNITS.some((each) => each === unit) &&
    typeof what === 'string' &&
    Number.isSafeInteger(count) &&
    typeof example === 'string' &&
    (fault === undefined || typeof fault === 'string')
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

export async function remember(cache: string, key: string, packed: Packed): Promise<void> {
  await writeFileAtomically(notePath(cache, key), JSON.stringify(packed));
}

function markUsed(path: string): void {
  const now = new Date();
  try {
    utimesSync(path, now, now);
  } catch {
    // The cache is another user's, or read-only: then this user need not clear it either.
  }
}

/**
 * Removes packs and notes that no run has used for 30 days, notes without a pack, and temporary files of processes that
 * have ended.
 */
export function sweep(cache: string, now = Date.now()): void {
  const folder = facesFolder(cache);
  sweepPacks(folder, now);
  for (const name of namesIn(folder)) {
    if (!name.endsWith('.json')) continue;
    const path = join(folder, name);
    const packed = readNote(path);
    if (!packed || !existsSync(packPath(cache, packed.fingerprint)) || ageOf(path, now) > UNUSED_AFTER)
      tryToRemove(path);
  }
}

/** The same for a folder that holds packs and no notes. */
export function sweepPacks(folder: string, now = Date.now()): void {
  removeAbandoned(folder, { now, isTemporary: (name) => name.endsWith('.tmp') });
  for (const name of namesIn(folder)) {
    const path = join(folder, name);
    if (name.endsWith('.pack') && ageOf(path, now) > UNUSED_AFTER) tryToRemove(path);
  }
}
