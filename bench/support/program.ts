import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { largestPeak } from './process-tree.js';

export interface Watched {
  readonly stdout: string;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  /** Of its largest process. */
  readonly peakMebibytes: number;
}

/** Often enough to time a first step, seldom enough to take none of the time that is measured. */
const LOOK_EVERY = 200; // milliseconds

/** Runs a program to its end, looking at it now and then. One that fails throws what it complained of. */
export async function runProgram(
  command: string,
  args: readonly string[],
  { env = {}, look = () => {} }: { env?: NodeJS.ProcessEnv; look?: () => void } = {},
): Promise<Watched> {
  const startedAt = Date.now();
  const child = spawn(command, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  let peakMebibytes = 0;
  const timer = setInterval(() => {
    if (child.pid !== undefined) peakMebibytes = Math.max(peakMebibytes, largestPeak(child.pid));
    look();
  }, LOOK_EVERY);
  try {
    const [stdout, stderr, [code]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, 'close') as Promise<[number | null]>,
    ]);
    if (code !== 0) throw new Error(complaintIn(stderr) ?? `${command} ended with code ${String(code)}`);
    return { stdout, startedAt, peakMebibytes };
  } finally {
    clearInterval(timer);
  }
}

/** What a failed program complained of: the last line that starts with an error's name, or else the last. */
function complaintIn(output: string): string | undefined {
  return linesOf(output).findLast((line) => /^[\w.]*Error\b/.test(line)) ?? lastLine(output);
}

export function lastLine(output: string): string | undefined {
  return linesOf(output).at(-1);
}

function linesOf(output: string): string[] {
  return output
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean);
}
