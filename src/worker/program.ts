import { runProgram } from '../common/process/program.js';
import { workerCommand } from './options.js';
import { work } from './run-worker.js';

/** The worker's program, from its arguments to its exit code. */
export async function runWorker(args: readonly string[]): Promise<void> {
  await runProgram(workerCommand(work), args);
}
