import { execFileSync } from 'node:child_process';
import { cpus, loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { median, spread } from '../support/median.js';
import type { KernelTime } from './profile.js';
import type { Steps } from './steps.js';

/** The wasm engine's training step beside that of the backend's stock kernels, in alternation; see README.md. */

const { values } = parseArgs({
  options: {
    features: { type: 'string', default: '64' },
    batch: { type: 'string', default: '16' },
    steps: { type: 'string', default: '2' },
    rounds: { type: 'string', default: '3' },
    profile: { type: 'boolean', default: false },
  },
});
const { features, batch, steps, rounds } = values;
const STEPS = fileURLToPath(new URL('steps.js', import.meta.url));
const SIDES = ['naive', 'engine'] as const;
type Side = (typeof SIDES)[number];

/** Kernels of the profile that are printed. */
const SHOWN = 12;

const speeds: Record<Side, number[]> = { naive: [], engine: [] };
for (let round = 1; round <= Number(rounds); round++)
  for (const side of SIDES) {
    const result = run(side);
    speeds[side].push(Number(batch) / median(result.seconds));
    console.log(
      `round ${round}: ${side.padEnd(6)} ${speeds[side].at(-1)?.toFixed(2)} images/s; losses ${result.losses.map((loss) => loss.toFixed(4)).join(' ')}`,
    );
    if (values.profile && round === Number(rounds)) print(result.profile);
  }
console.log(
  `${cpus()[0].model}, ${cpus().length} cores, load ${loadavg()
    .map((load) => load.toFixed(1))
    .join(' ')}`,
);
console.log(
  `tutorial, ${features} features, 64 pixels, batch ${batch}, images/s, median of rounds (least to most)`,
);
for (const side of SIDES) console.log(`${side.padEnd(6)} ${spread(speeds[side])}`);
console.log(`ratio  ${(median(speeds.engine) / median(speeds.naive)).toFixed(1)}`);

function run(side: Side): Steps {
  const options = ['--side', side, '--features', features, '--batch', batch, '--steps', steps];
  if (values.profile) options.push('--profile');
  const output = execFileSync(process.execPath, [STEPS, ...options], { encoding: 'utf8' });
  return JSON.parse(output.trim().split('\n').at(-1) ?? '') as Steps;
}

function print(profile: readonly KernelTime[]): void {
  const all = profile.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
  const slowest = profile.toSorted((a, b) => b.milliseconds - a.milliseconds).slice(0, SHOWN);
  for (const { kernel, calls, milliseconds } of slowest)
    console.log(
      `  ${kernel.padEnd(26)} ${(milliseconds / Number(steps)).toFixed(1).padStart(9)} ms a step, ${(calls / Number(steps)).toFixed(0).padStart(4)} calls, ${((100 * milliseconds) / all).toFixed(1).padStart(5)} %`,
    );
}
