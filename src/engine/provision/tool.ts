import { spawn } from 'node:child_process';
import { mayOutliveHangups, offHangup, onHangup } from '#hangup';
import type { Lock } from '#lock';

/** A program and the options it always gets. */
export type Command = readonly [string, ...string[]];

export interface ToolResult {
  /** Undefined where the program is missing or cannot be run. */
  readonly code: number | null | undefined;
  readonly signal: NodeJS.Signals | null;
  readonly output: string;
  readonly errors: string;
}

export interface ToolOptions {
  readonly environment: NodeJS.ProcessEnv;
  /** Stays taken while the program runs, should we be killed. */
  readonly lock?: Lock;
  /** True if the user sees its output as it comes (progress), on stderr. */
  readonly show?: boolean;
}

/** Runs a program to its end; never throws, since a tool that is missing is an answer too. */
export function runTool(
  [command, ...commandArguments]: Command,
  { environment, lock, show = false }: ToolOptions,
): Promise<ToolResult> {
  return new Promise((resolve) => {
    const descriptor = lock?.descriptor;
    const detached = mayOutliveHangups();
    const child = spawn(command, commandArguments, {
      env: environment,
      detached, // A hangup that this process outlives would end it.
      stdio: ['ignore', show ? 2 : 'pipe', 'pipe', ...(descriptor === undefined ? [] : [descriptor])],
    });
    let output = '';
    let errors = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => (output += text));
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (errors += text));
    const stop = (signal: NodeJS.Signals): void => {
      if (!detached) child.kill(signal);
      else if (child.pid !== undefined) process.kill(-child.pid, signal);
      release();
      process.kill(process.pid, signal); // this time it ends us
    };
    const release = (): void => {
      process.off('SIGINT', stop).off('SIGTERM', stop);
      offHangup(stop);
    };
    process.once('SIGINT', stop).once('SIGTERM', stop);
    onHangup(stop);
    const finish = (code: number | null | undefined, signal: NodeJS.Signals | null): void => {
      release();
      resolve({ code, signal, output, errors });
    };
    child.once('error', () => {
      finish(undefined, null);
    });
    child.once('close', finish);
  });
}

/** The first of the commands that answers to these arguments with success. */
export async function findTool(
  candidates: readonly Command[],
  probe: readonly string[],
  options: ToolOptions,
): Promise<Command | undefined> {
  for (const candidate of candidates) {
    const { code } = await runTool([...candidate, ...probe], options);
    if (code === 0) return candidate;
  }
  return undefined;
}
