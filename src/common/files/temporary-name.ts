import { createHash, randomUUID } from 'node:crypto';
import { isRunning, ownIdentity } from '../process/process-identity.js';

/** Time after which a temporary file of another machine counts as abandoned, in milliseconds. */
const ABANDONED_AFTER = 24 * 60 * 60 * 1000;

/** `STEM.MACHINE-PID-STARTED-RANDOM.tmp`; STARTED is 0 on systems without /proc. */
const PATTERN = /\.([0-9a-f]{8})-(\d+)-(\d+)-[0-9a-f]{12}\.tmp$/;

/** Earlier versions named no writer. */
const EARLIER_PATTERN = /\.[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.tmp$/;

let machineOfThisProcess: string | undefined;

/** Names a file or folder that is not complete yet. The name holds its writer, so that leftovers can be told apart. */
export function temporaryName(stem: string): string {
  const { pid, started } = ownIdentity();
  return `${stem}.${thisMachine()}-${pid}-${started ?? 0}-${randomUUID().slice(-12)}.tmp`;
}

/** Tells whether this program, of this version or an earlier one, gave a file its name while it was written. */
export function isTemporaryName(name: string): boolean {
  return PATTERN.test(name) || EARLIER_PATTERN.test(name);
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

/** Stands for the host and the space in which its process numbers count. */
function thisMachine(): string {
  if (machineOfThisProcess === undefined) {
    const { host, namespace } = ownIdentity();
    const identity = JSON.stringify([host, namespace]);
    machineOfThisProcess = createHash('sha256').update(identity).digest('hex').slice(0, 8);
  }
  return machineOfThisProcess;
}
