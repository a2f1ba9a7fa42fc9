import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DEMONSTRATION } from '../../src/cli/demo.js';
import { evaluatedRun, readEvaluation, type Evaluation } from '../support/evaluated-run.js';
import type { BenchOptions } from './options.js';
import type { Setting } from './settings.js';

/** The networks and the batch of `npm start`. */
const NETWORKS = [
  ...DEMONSTRATION.slice(DEMONSTRATION.indexOf('--architecture'), DEMONSTRATION.indexOf('--epochs')),
  ...['--single-node', '--shards', '1', '--no-http', '--sample-every', '0', '--checkpoint-every', '0'],
];

/** Trains a setting on so many drawn faces and evaluates it; what was measured before is read. */
export async function measure(
  { folder, steps, samples, limit }: BenchOptions,
  setting: Setting,
  faces: number,
  seed: number,
): Promise<Evaluation> {
  const name = `${setting.name.replaceAll(' ', '-')}-${faces}-faces-${steps}-steps-seed-${seed}`;
  const result = join(folder, `${name}.json`);
  if (existsSync(result)) return readEvaluation(await readFile(result, 'utf8'));
  const options = [...NETWORKS, '--steps', String(steps), '--seed', String(seed), ...setting.args];
  const { evaluation } = await evaluatedRun({ folder, name, faces, options, samples, limit });
  await writeFile(result, JSON.stringify(evaluation));
  return evaluation;
}
