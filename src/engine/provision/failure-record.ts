import { mkdir, readFile, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { writeFileAtomically } from '../../common/files/atomic-file.js';
import { ProvisionFailure } from './failure.js';

/** A failure of an earlier start, so that the next does not wait for the same one. */
export interface FailureRecord {
  readonly failure: ProvisionFailure;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** Machine on which it failed: another that shares the cache may have what was missing. */
  readonly host: string;
}

export async function readFailure(engine: string): Promise<FailureRecord | undefined> {
  try {
    const record = JSON.parse(await readFile(pathOf(engine), 'utf8')) as Record<string, unknown>;
    const { reason, remedy, retryAfter, at, host } = record;
    if (typeof reason !== 'string' || typeof remedy !== 'string') return undefined;
    const failure = new ProvisionFailure(reason, remedy, Number(retryAfter));
    return { failure, at: Number(at), host: String(host) };
  } catch {
    return undefined;
  }
}

export async function writeFailure(
  engine: string,
  { reason, remedy, retryAfter }: ProvisionFailure,
): Promise<void> {
  const record = JSON.stringify({ reason, remedy, retryAfter, at: Date.now(), host: hostname() });
  try {
    await mkdir(dirname(engine), { recursive: true });
    await writeFileAtomically(pathOf(engine), record);
  } catch {
    // A cache that cannot be written to may be the very failure.
  }
}

export async function forgetFailure(engine: string): Promise<void> {
  await rm(pathOf(engine), { force: true });
}

/** Returns whether it is too early to try again. A clock that was set back does not make it early for ever. */
export function isRecent({ failure, at, host }: FailureRecord, now: number): boolean {
  return host === hostname() && now >= at && now - at < failure.retryAfter;
}

function pathOf(engine: string): string {
  return `${engine}.failure.json`;
}
