import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { childrenOf } from '../support/process-tree.js';
import { startTrainer, stepsOf } from '../support/trainer.js';

/** Memory and processor time of coordinator and workers while they train (Linux); see README.md. */

const { values } = parseArgs({
  options: {
    architecture: { type: 'string', default: 'tutorial' },
    'image-size': { type: 'string', default: '64' },
    features: { type: 'string', default: '64' },
    batch: { type: 'string', default: '64' },
    workers: { type: 'string', default: '2' },
    steps: { type: 'string', default: '40' },
    interval: { type: 'string', default: '2' },
  },
});

/** Of /proc/PID/stat's times. */
const TICKS_PER_SECOND = 100;
const folder = mkdtempSync(join(tmpdir(), 'bench-resources-'));

interface Sample {
  readonly at: number;
  readonly mebibytes: number;
  readonly processorSeconds: number;
}

const samples = new Map<string, Sample[]>();
try {
  const run = join(folder, 'run');
  const trainer = startTrainer(run, [
    ...['--workers', values.workers, '--architecture', values.architecture],
    ...['--image-size', values['image-size'], '--batch-size', values.batch, '--steps', values.steps],
    ...['--generator-features', values.features, '--discriminator-features', values.features],
    ...['--sample-every', '50', '--checkpoint-every', '100'],
  ]);
  const timer = setInterval(
    () => {
      sample(trainer);
    },
    Number(values.interval) * 1000,
  );
  const records = await stepsOf(trainer, run);
  clearInterval(timer);
  report(records.length);
} finally {
  rmSync(folder, { recursive: true });
}

function sample(trainer: ChildProcess): void {
  if (trainer.pid === undefined) return;
  const workers = childrenOf(trainer.pid).filter((pid) => commandOf(pid).includes('worker/main'));
  const named = new Map([['coordinator', trainer.pid]]);
  for (const pid of workers) named.set(`worker ${pid}`, pid);
  for (const [name, pid] of named) {
    const measured = measure(pid);
    if (measured) samples.set(name, [...(samples.get(name) ?? []), measured]);
  }
}

function report(steps: number): void {
  console.log(`${steps} steps of ${values.architecture}, batch ${values.batch}, ${values.workers} workers`);
  for (const [name, all] of samples) {
    // The first tenth is start-up.
    const settled = all.slice(Math.ceil(all.length / 10));
    const [first, last] = [settled[0], settled.at(-1)];
    if (!last || settled.length < 2) continue;
    const most = Math.max(...all.map(({ mebibytes }) => mebibytes));
    const share = (last.processorSeconds - first.processorSeconds) / ((last.at - first.at) / 1000);
    console.log(
      `${name.padEnd(14)} MiB: ${overTime(settled)}; ${most.toFixed(0)} at most; ${(100 * share).toFixed(1)} % of a core`,
    );
  }
}

/** Memory at equal distances in time: whether it grows, and whether that ends. */
function overTime(all: readonly Sample[]): string {
  const places = [0, 0.25, 0.5, 0.75, 1].map((part) => Math.round(part * (all.length - 1)));
  return places.map((place) => all[place].mebibytes.toFixed(0)).join(', ');
}

function measure(pid: number): Sample | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    const kibibytes = Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]);
    const ticks = Number(fields[11]) + Number(fields[12]);
    return { at: performance.now(), mebibytes: kibibytes / 1024, processorSeconds: ticks / TICKS_PER_SECOND };
  } catch {
    return undefined; // It has ended.
  }
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}
