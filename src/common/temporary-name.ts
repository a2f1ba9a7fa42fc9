import { createHash, randomUUID } from 'node:crypto';
import { readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { isRunning, ownIdentity } from './process-identity.js';

/** Time after which a temporary file of another machine counts as abandoned, in milliseconds. */
const ABANDONED_AFTER = 24 * 60 * 60 * 1000;

/** `STEM.MACHINE-PID-STARTED-RANDOM.tmp`; STARTED is 0 on systems without /proc. */
const PATTERN = /\.([0-9a-f]{8})-(\d+)-(\d+)-[0-9a-f]{12}\.tmp$/;

let machineOfThisProcess: string | undefined;

/** Names a file or folder that is not complete yet. The name holds its writer, so that leftovers can be told apart. */
export function temporaryName(stem: string): string {
  const { pid, started } = ownIdentity();
  return `${stem}.${thisMachine()}-${pid}-${started ?? 0}-${randomUUID().slice(-12)}.tmp`;
}

/**
 * Tells whether the writer of a temporary file has ended. If the writer is unknown or ran on another machine, the age
 * decides: writers change their file all the time.
 */
export function isAbandoned(name: string, age: number): boolean {
  const [, machine, pid, started] = PATTERN.exec(name) ?? [];
  if (machine !== thisMachine()) return age > ABANDONED_AFTER;
  return !isRunning({ ...ownIdentity(), pid: Number(pid), started: started === '0' ? null : started });
}

/** Removes the abandoned temporary files and folders among the entries of `folder`. Skips what it may not remove. */
export function removeAbandoned(folder: string, now = Date.now()): void {
  for (const name of namesIn(folder)) {
    const path = join(folder, name);
    if (name.endsWith('.tmp') && isAbandoned(name, ageOf(path, now))) tryToRemove(path);
  }
}

/** Returns the milliseconds since a file was last written; 0 if it is gone or out of reach. */
export function ageOf(path: string, now: number): number {
  try {
    return now - statSync(path).mtimeMs;
  } catch {
    return 0;
  }
}

/** Removes a file or folder, unless it is another user's. */
export function tryToRemove(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true });
  } catch {
    // Another user's file in a shared folder, or one that is in use. It costs room and nothing else.
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** Stands for the host and the space in which its process numbers count. */
function thisMachine(): string {
  if (machineOfThisProcess === undefined) {
    const { host, namespace } = ownIdentity();
    const identity = JSON.stringify([host, namespace]);
    machineOfThisProcess = createHash('sha256').update(identity).digest('hex').slice(0, 8);
  }
  return machineOfThisProcess;
}
