import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/** A process, told apart from whatever has its number later. */
export interface ProcessIdentity {
  readonly host: string;
  /** PID namespace: containers on one host number their processes separately. Null: unknown. */
  readonly namespace: string | null;
  readonly pid: number;
  /** When it was started, in the system's own count; null if there is no /proc. */
  readonly started: string | null;
}

export function ownIdentity(): ProcessIdentity {
  return {
    host: hostname(),
    namespace: namespace(),
    pid: process.pid,
    started: statOf(process.pid)?.started ?? null,
  };
}

/** Returns whether its number can be looked up here. */
export function isOfThisMachine(identity: ProcessIdentity): boolean {
  return identity.host === hostname() && identity.namespace === namespace();
}

/** Returns whether a process of this machine still runs. A zombie has ended. */
export function isRunning({ pid, started }: ProcessIdentity): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // Another user's process cannot be signalled, but is there.
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  const stat = statOf(pid);
  if (!stat) return true;
  return !['Z', 'X'].includes(stat.state) && (started === null || started === stat.started);
}

function namespace(): string | null {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return null;
  }
}

/** State and start time: fields 3 and 22 of /proc/PID/stat. The name before them may hold anything, brackets too. */
function statOf(pid: number): { state: string; started: string } | undefined {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    return { state: fields[0], started: fields[19] };
  } catch {
    return undefined;
  }
}
