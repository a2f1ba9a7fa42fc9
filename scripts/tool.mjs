import { spawn } from 'node:child_process';
import { isatty } from 'node:tty';
import { fileURLToPath } from 'node:url';
import { mayOutliveHangups, offHangup, onHangup } from './hangup.mjs';
import { printableLines } from './printable.mjs';

/** The clone's folder: every tool runs there. */
export const root = fileURLToPath(new URL('..', import.meta.url));

/** Exit codes of what was stopped by a signal, as shells have them. */
const STOPPED = { SIGHUP: 129, SIGINT: 130, SIGKILL: 137, SIGTERM: 143 };

/** A step that failed: one line for the user, and the exit code of whatever failed. */
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
  // A tool that cannot write fails: what it says is read here, and dropped when nobody reads it any more.
  const ours = isatty(2) ? 2 : 'pipe';
  const stdio = ['ignore', output === 2 ? ours : output, ours];
  if (lock?.descriptor !== undefined) stdio.push(lock.descriptor);
  const detached = mayOutliveHangups(); // A hangup that this process outlives would end the tool.
  const child = spawn(command, commandArguments, { cwd: root, stdio, shell, detached });
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (text) => process.stderr.write(text));
  const stop = (signal) => {
    // It may have ended a moment ago.
    if (!detached) child.kill(signal);
    else if (child.exitCode === null && child.signalCode === null) process.kill(-child.pid, signal);
  };
  process.on('SIGINT', stop).on('SIGTERM', stop);
  onHangup(stop);
  try {
    const [code, signal] = await new Promise((resolve, reject) => {
      child.once('error', reject).once('close', (...ending) => resolve(ending));
    });
    if (signal) throw new StepFailure(`${what} was stopped by ${signal}`, STOPPED[signal] ?? 1);
    if (code !== 0)
      throw new StepFailure(`${what} failed with exit code ${code} (its output is above)`, code);
  } catch (error) {
    if (error.code === 'ENOENT')
      throw new StepFailure(`${what} failed: there is no ${command} on this machine`);
    throw error;
  } finally {
    process.off('SIGINT', stop).off('SIGTERM', stop);
    offHangup(stop);
  }
}

// Console output is never worth a set-up: without this, a reader that goes away ends it.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});

/** Runs a tool of node_modules with this Node, whatever PATH says. */
export function runPackageTool(what, script, toolArguments, options) {
  return runTool(what, process.execPath, [`node_modules/${script}`, ...toolArguments], options);
}

/** Awaits the work; what goes wrong becomes one line on stderr and the exit code. */
export async function orExit(work) {
  try {
    return await work;
  } catch (error) {
    const text = error instanceof StepFailure || error.code ? error.message : error.stack;
    console.error(printableLines(`set-up: ${text}`));
    process.exit(error.exitCode ?? 1);
  }
}
