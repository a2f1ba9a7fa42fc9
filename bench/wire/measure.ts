import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { WireFormat } from '../../src/averaging/wire-format.js';
import type { StepRecord } from '../../src/coordinator/step-record.js';
import { drawn, HELD_OUT, readEvaluation, runCoordinator } from '../few-faces/measure.js';
import { median } from '../support/median.js';
import { readSteps } from '../support/trainer.js';
import type { BenchOptions } from './options.js';

/** A run, as far as table and picture show it. */
export interface Measured {
  readonly wire: WireFormat;
  readonly seed: number;
  /** Means over the last steps. */
  readonly discriminatorLoss: number;
  readonly generatorLoss: number;
  /** 0 to 1. */
  readonly faceShare: number;
  readonly frechetDistance: number;
  /** Of a step, through the coordinator, in and out. */
  readonly megabytes: number;
}

/** Losses are means over so many steps at the end. */
const LAST_STEPS = 100;

/** The networks of `npm start` on two workers, who have a shard each, as a star: all formats can be that. */
const NETWORKS = [
  ...['--workers', '2', '--shards', '2', '--topology', 'star'],
  ...['--architecture', 'tutorial', '--image-size', '32'],
  ...['--generator-features', '64', '--discriminator-features', '32'],
  ...['--no-http', '--sample-every', '0', '--checkpoint-every', '0'],
];

/** Trains and evaluates; what was measured before is read. */
export async function measure(options: BenchOptions, wire: WireFormat, seed: number): Promise<Measured> {
  const { folder, faces: count, steps, batchSize, samples, limit } = options;
  await mkdir(folder, { recursive: true });
  const name = `${wire}-${count}-faces-${steps}-steps-of-${batchSize}-seed-${seed}-${samples}-samples`;
  const result = join(folder, `${name}.json`);
  if (existsSync(result)) return JSON.parse(await readFile(result, 'utf8')) as Measured;
  const coordinator = (args: readonly string[]): Promise<string> => runCoordinator(args, limit);
  const faces = await drawn(folder, `faces-${count}`, count, 0, coordinator);
  const heldOut = await drawn(folder, HELD_OUT.name, HELD_OUT.count, HELD_OUT.seed, coordinator);
  const run = join(folder, name);
  // A run that was cut off before it was evaluated.
  await rm(run, { recursive: true, force: true });
  const length = ['--steps', String(steps), '--batch-size', String(batchSize), '--seed', String(seed)];
  await coordinator(['train', '--data', faces, '--run-dir', run, ...NETWORKS, ...length, '--wire', wire]);
  const json = await coordinator(['evaluate', run, '--count', String(samples), '--data', heldOut, '--json']);
  const { faceShare, frechetDistance } = readEvaluation(json);
  const measured = { wire, seed, faceShare, frechetDistance, ...ofSteps(readSteps(run)) };
  await writeFile(result, JSON.stringify(measured));
  return measured;
}

function ofSteps(
  steps: readonly StepRecord[],
): Pick<Measured, 'discriminatorLoss' | 'generatorLoss' | 'megabytes'> {
  const last = steps.slice(-LAST_STEPS);
  const mean = (name: 'discriminatorLoss' | 'generatorLoss'): number =>
    last.reduce((sum, step) => sum + step[name], 0) / last.length;
  return {
    discriminatorLoss: mean('discriminatorLoss'),
    generatorLoss: mean('generatorLoss'),
    megabytes: median(last.map(({ sentBytes, receivedBytes }) => (sentBytes + receivedBytes) / 1e6)),
  };
}
