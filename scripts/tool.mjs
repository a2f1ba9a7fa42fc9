import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** The clone's folder: every tool runs there. */
export const root = fileURLToPath(new URL('..', import.meta.url));

/** A step that cannot go on: one line for the user, and the exit code of whatever failed. */
export class StepFailure extends Error {
  constructor(message, exitCode = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}

/**
 * Runs a program in the clone's folder, its output on our stderr: stdout belongs to what is being set up for.
 * The lock goes with the program, so that it stays taken while the program runs on alone after our SIGKILL.
 */
export async function runTool(what, command, commandArguments, { lock, output = 2, shell = false } = {}) {
  const stdio = ['ignore', output, 2, ...(lock?.descriptor === undefined ? [] : [lock.descriptor])];
  const child = spawn(command, commandArguments, { cwd: root, stdio, shell });
  const stop = (signal) => child.kill(signal);
  process.on('SIGINT', stop).on('SIGTERM', stop);
  try {
    const [code, signal] = await new Promise((resolve, reject) => {
      child.once('error', reject).once('exit', (...ending) => resolve(ending));
    });
    if (signal) throw new StepFailure(`${what} was stopped by ${signal}`, signal === 'SIGINT' ? 130 : 143);
    if (code !== 0)
      throw new StepFailure(`${what} failed with exit code ${code} (its output is above)`, code);
  } catch (error) {
    if (error.code === 'ENOENT')
      throw new StepFailure(`${what} failed: there is no ${command} on this machine`);
    throw error;
  } finally {
    process.off('SIGINT', stop).off('SIGTERM', stop);
  }
}

/** Runs a tool of node_modules with this Node, whatever PATH says. */
export function runPackageTool(what, script, toolArguments, options) {
  return runTool(what, process.execPath, [`node_modules/${script}`, ...toolArguments], options);
}

/** Awaits the work; what goes wrong becomes one line on stderr and the exit code. */
export async function orExit(work) {
  try {
    return await work;
  } catch (error) {
    console.error(`set-up: ${error instanceof StepFailure || error.code ? error.message : error.stack}`);
    process.exit(error.exitCode ?? 1);
  }
}
