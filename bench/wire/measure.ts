import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { WireFormat } from '../../src/averaging/wire-format.js';
import type { StepRecord } from '../../src/run/step-record.js';
import { evaluatedRun } from '../support/evaluated-run.js';
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
  const { folder, faces, steps, batchSize, samples, limit } = options;
  const name = `${wire}-${faces}-faces-${steps}-steps-of-${batchSize}-seed-${seed}-${samples}-samples`;
  const result = join(folder, `${name}.json`);
  if (existsSync(result)) return JSON.parse(await readFile(result, 'utf8')) as Measured;
  const length = ['--steps', String(steps), '--batch-size', String(batchSize), '--seed', String(seed)];
  const { run, evaluation } = await evaluatedRun({
    ...{ folder, name, faces, samples, limit },
    options: [...NETWORKS, ...length, '--wire', wire],
  });
  const { faceShare, frechetDistance } = evaluation;
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
