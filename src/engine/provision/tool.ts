import { spawn } from 'node:child_process';
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
  /** Whether the user sees its output as it comes (progress), on stderr. */
  readonly show?: boolean;
}

/** Runs a program to its end; never throws, since a tool that is missing is an answer too. */
export function runTool(
  [command, ...commandArguments]: Command,
  { environment, lock, show = false }: ToolOptions,
): Promise<ToolResult> {
  return new Promise((resolve) => {
    const descriptor = lock?.descriptor;
    const child = spawn(command, commandArguments, {
      env: environment,
      stdio: ['ignore', show ? 2 : 'pipe', 'pipe', ...(descriptor === undefined ? [] : [descriptor])],
    });
    let output = '';
    let errors = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => (output += text));
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (errors += text));
    const stop = (signal: NodeJS.Signals): void => {
      child.kill(signal);
      process.kill(process.pid, signal); // 'once' handlers: this time it ends us
    };
    process.once('SIGINT', stop).once('SIGTERM', stop);
    const finish = (code: number | null | undefined, signal: NodeJS.Signals | null): void => {
      process.off('SIGINT', stop).off('SIGTERM', stop);
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
