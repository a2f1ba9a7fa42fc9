import { report } from '../common/console.js';
import { runProgram } from '../common/process/program.js';
import { coordinatorCommand } from './commands.js';
import { DEMONSTRATION, demonstrationLine } from './demo.js';

/** The coordinator's program, from its arguments to its exit code. */
export async function runCoordinatorProgram(args: readonly string[]): Promise<void> {
  if (args.length === 0) report(demonstrationLine());
  await runProgram(coordinatorCommand(), args.length === 0 ? DEMONSTRATION : args);
}
