import { stepsDone } from './run-results.js';
import type { Program } from './program.js';
import { workersOf } from './processes.js';
import type { Workplace } from './workplace.js';
import { until } from '../wire/until.js';

/** How long a schedule's next step may take to come, in milliseconds. */
const LIMIT = 60_000;

/** Something that happens to the workers of a run once this step is done. */
export interface Fault {
  readonly step: number;
  readonly signal: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT';
  /** Which of the processes that there are then, by age; or all. */
  readonly worker: number | 'all';
}

/** Lets a schedule of faults happen to a coordinator's workers. Returns how many signals reached one. */
export async function strike(
  workplace: Workplace,
  run: string,
  program: Program,
  faults: readonly Fault[],
): Promise<number> {
  let sent = 0;
  for (const { step, signal, worker } of faults) {
    await until(`step ${step}`, async () => (await stepsDone(workplace.path(run))) >= step, LIMIT);
    const workers = workersOf(program.pid).sort((one, other) => one - other);
    const chosen =
      worker === 'all' ? workers : workers.slice(worker % Math.max(1, workers.length)).slice(0, 1);
    for (const pid of chosen) if (send(pid, signal)) sent++;
  }
  return sent;
}

/** False where it has ended meanwhile. */
function send(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}
