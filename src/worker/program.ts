import { runProgram } from '../common/process/program.js';
import { workerCommand } from './options.js';
import { runWorker } from './run-worker.js';

/** The worker's program, from its arguments to its exit code. */
export async function runWorkerProgram(args: readonly string[]): Promise<void> {
  await runProgram(workerCommand(runWorker), args);
}
