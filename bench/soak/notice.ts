import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { spread } from '../support/median.js';
import { linesOf, reached, workersOf } from '../support/step-watch.js';
import { trainerArguments } from '../support/trainer.js';

/** How long it takes to notice that a worker is lost, with the default liveness timeout (Linux); see README.md. */

const TIMES = 5;
const FAULTS = [
  ['SIGKILL', /was killed by SIGKILL/],
  ['SIGSTOP', /was silent for 10 s/],
] as const;

const folder = mkdtempSync(join(tmpdir(), 'bench-notice-'));
const run = join(folder, 'run');
const trainer = spawn(
  process.execPath,
  trainerArguments(run, [
    ...['--workers', '2', '--architecture', 'tutorial', '--image-size', '32', '--latent-size', '8'],
    ...['--generator-features', '4', '--discriminator-features', '4', '--batch-size', '12', '--threads', '1'],
    ...['--steps', '1000000', '--sample-every', '0'],
  ]),
  { stdio: ['ignore', 'ignore', 'pipe'] },
);
try {
  const lines = createInterface({ input: trainer.stderr });
  for (const [signal, line] of FAULTS) {
    const times: number[] = [];
    for (let time = 0; time < TIMES; time++) times.push(await timeToNotice(lines, signal, line));
    console.log(`${signal}: noticed after ${spread(times)} ms`);
  }
} finally {
  trainer.kill('SIGKILL');
  rmSync(folder, { recursive: true });
}

/** When both workers have done a few steps more: from the signal to the coordinator's line, in milliseconds. */
async function timeToNotice(lines: Interface, signal: NodeJS.Signals, line: RegExp): Promise<number> {
  const [worker] = await bothAtWork(trainer);
  const noticed = new Promise<void>((resolve) => {
    const look = (text: string): void => {
      if (!line.test(text)) return;
      lines.off('line', look);
      resolve();
    };
    lines.on('line', look);
  });
  const struck = performance.now();
  process.kill(worker, signal);
  await Promise.race([noticed, once(trainer, 'exit').then(() => Promise.reject(new Error('the run ended')))]);
  return performance.now() - struck;
}

async function bothAtWork(coordinator: ChildProcess): Promise<number[]> {
  for (;;) {
    await reached(coordinator, run, linesOf(run).length + 10);
    const last = linesOf(run).at(-1) ?? '{}';
    const { workers } = JSON.parse(last) as { workers?: number };
    const processes = workersOf(coordinator);
    if (workers === 2 && processes.length === 2) return processes;
    if (coordinator.exitCode !== null) throw new Error('the run ended');
  }
}
