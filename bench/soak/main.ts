import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { randomStream } from '../../src/common/random.js';
import { linesOf, numbersOf, reached, workersOf } from '../support/step-watch.js';
import { startTrainer, stepsOf } from '../support/trainer.js';

/** A long run with faults at random, against a quiet one (Linux); see README.md. */

const { values } = parseArgs({
  options: {
    steps: { type: 'string', default: '2000' },
    workers: { type: 'string', default: '2' },
    shards: { type: 'string', default: '3' },
    /** Steps from one fault to the next, on average. */
    every: { type: 'string', default: '100' },
    seed: { type: 'string', default: '0' },
  },
});

const STEPS = Number(values.steps);
const OPTIONS = [
  ...['--architecture', 'tutorial', '--image-size', '32', '--latent-size', '8', '--threads', '1'],
  ...['--generator-features', '4', '--discriminator-features', '4', '--batch-size', '12'],
  ...['--shards', values.shards, '--steps', values.steps],
  ...['--sample-every', '500', '--checkpoint-every', '100'],
];

const folder = mkdtempSync(join(tmpdir(), 'bench-soak-'));
try {
  const quiet = join(folder, 'quiet');
  const started = performance.now();
  await stepsOf(startTrainer(quiet, ['--single-node', ...OPTIONS]), quiet);
  const between = performance.now();
  const noisy = join(folder, 'noisy');
  const trainer = startTrainer(noisy, ['--workers', values.workers, '--liveness-timeout', '2', ...OPTIONS]);
  const ended = stepsOf(trainer, noisy);
  const { faults, memory } = await disturb(trainer, noisy);
  await ended;
  const seconds = (from: number, to: number): string => ((to - from) / 1000).toFixed(0);
  console.log(
    `${STEPS} steps: quiet ${seconds(started, between)} s, with faults ${seconds(between, performance.now())} s`,
  );
  console.log(`faults: ${[...faults].map(([name, count]) => `${count} ${name}`).join(', ')}`);
  console.log(`coordinator, MiB at each quarter: ${memory.map((each) => each.toFixed(0)).join(', ')}`);
  const same =
    linesOf(quiet).map(numbersOf).join() === linesOf(noisy).map(numbersOf).join() &&
    lastTensors(quiet).equals(lastTensors(noisy));
  console.log(same ? 'all numbers and the last checkpoint are the same' : 'THE RUNS DIFFER');
  if (!same) process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true });
}

async function disturb(trainer: ChildProcess, run: string) {
  const stream = randomStream(Number(values.seed), 'soak');
  const faults = new Map<string, number>();
  const memory: number[] = [];
  let step = 0;
  for (;;) {
    step += uniformInt(stream, 1, 2 * Number(values.every) - 1);
    if (step >= STEPS || !(await reached(trainer, run, step))) return { faults, memory };
    if (memory.length < (4 * step) / STEPS) memory.push(residentMiB(trainer.pid ?? 0));
    const workers = workersOf(trainer);
    const what = uniformInt(stream, 0, 9);
    const signal = what < 7 ? 'SIGKILL' : what < 9 ? 'SIGSTOP' : 'SIGKILL';
    const one = workers.at(uniformInt(stream, 0, Math.max(0, workers.length - 1)));
    const name = what === 9 ? 'all killed' : signal;
    for (const pid of what === 9 ? workers : [one]) if (pid !== undefined) send(pid, signal);
    faults.set(name, (faults.get(name) ?? 0) + 1);
  }
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended meanwhile.
  }
}

function residentMiB(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0) / 1024;
}

/** The bytes of the newest checkpoint behind its header. */
function lastTensors(run: string): Buffer {
  const checkpoints = join(run, 'checkpoints');
  const newest = readdirSync(checkpoints).sort().at(-1) ?? '';
  const file = readFileSync(join(checkpoints, newest));
  return file.subarray(8 + Number(file.readBigUInt64LE(0)));
}
