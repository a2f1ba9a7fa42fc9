import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';

export interface Output {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** Milliseconds after which it is killed, and so has failed. */
  readonly limit: number;
}

/** Runs a program to its end, whatever that is. */
export async function runCommand(
  [command, ...args]: readonly string[],
  { env = process.env, cwd, limit }: CommandOptions,
): Promise<Output> {
  const child = spawn(command, args, {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: limit,
    killSignal: 'SIGKILL',
    ...(cwd !== undefined && { cwd }),
  });
  // Its exit and not its pipes' end: a monitor of a container that goes on may have inherited them.
  const exited = once(child, 'exit') as Promise<[number | null]>;
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), exited]);
  return { code, stdout, stderr };
}

/** The same, where it has to succeed. Returns what it wrote to stdout. */
export async function mustRun(command: readonly string[], options: CommandOptions): Promise<string> {
  const { code, stdout, stderr } = await runCommand(command, options);
  if (code === 0) return stdout;
  const ending = code === null ? `was killed after ${options.limit} ms` : `ended with ${code}`;
  throw new Error(`${command.slice(0, 6).join(' ')} ... ${ending}:\n${(stderr + stdout).slice(-4000)}`);
}
