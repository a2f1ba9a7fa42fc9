import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { median, spread } from '../support/median.js';
import { startTrainer, stepsOf } from '../support/trainer.js';

/** The training step beside PyTorch's own tutorial step, in alternation; see README.md. */

const { values } = parseArgs({
  options: {
    python: { type: 'string' },
    architecture: { type: 'string', default: 'tutorial' },
    batch: { type: 'string', default: '64' },
    threads: { type: 'string', default: String(cpus().length) },
    steps: { type: 'string', default: '12' },
    rounds: { type: 'string', default: '5' },
    workers: { type: 'string', default: '0' },
  },
});
const { architecture, batch, threads, steps, python } = values;
/** The first steps build kernels and fill caches, in either program. */
const WARM_UP = 2;
const PYTORCH = fileURLToPath(new URL('../../../bench/pytorch/tutorial_step.py', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'bench-step-'));

const ours: number[] = [];
const theirs: number[] = [];
try {
  for (let round = 0; round < Number(values.rounds); round++) {
    ours.push(await train(join(folder, String(round))));
    if (python !== undefined) theirs.push(trainByPyTorch(python));
    console.log(
      `round ${round + 1}: here ${ours.at(-1)?.toFixed(1)}, PyTorch ${theirs.at(-1)?.toFixed(1) ?? '-'}`,
    );
  }
} finally {
  rmSync(folder, { recursive: true });
}
console.log(
  `${cpus()[0].model}, ${cpus().length} cores, load ${loadavg()
    .map((load) => load.toFixed(1))
    .join(' ')}`,
);
console.log(
  `${architecture}, batch ${batch}, ${threads} threads, images/s, median of rounds (least to most)`,
);
console.log(`here     ${spread(ours)}`);
if (theirs.length > 0) {
  console.log(`PyTorch  ${spread(theirs)}`);
  console.log(`ratio    ${(median(ours) / median(theirs)).toFixed(2)}`);
}

async function train(run: string): Promise<number> {
  const workers = Number(values.workers);
  const who = workers === 0 ? ['--single-node'] : ['--workers', values.workers];
  const trainer = startTrainer(run, [
    ...who,
    ...['--architecture', architecture, '--batch-size', batch, '--steps', steps],
    ...['--threads', String(Math.max(1, Math.floor(Number(threads) / Math.max(1, workers))))],
    ...['--sample-every', '0', '--checkpoint-every', '0'],
  ]);
  const records = await stepsOf(trainer, run);
  return median(records.slice(WARM_UP).map(({ imagesPerSecond }) => imagesPerSecond));
}

function trainByPyTorch(program: string): number {
  const args = ['--architecture', architecture, '--batch', batch, '--threads', threads, '--steps', steps];
  const output = execFileSync(program, [PYTORCH, ...args], { encoding: 'utf8' });
  return (JSON.parse(output.trim().split('\n').at(-1) ?? '') as { imagesPerSecond: number }).imagesPerSecond;
}
