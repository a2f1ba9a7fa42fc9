import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { DEMONSTRATION } from '../../src/coordinator/demonstration.js';
import type { BenchOptions } from './options.js';
import type { Setting } from './settings.js';

const COORDINATOR = fileURLToPath(new URL('../../src/coordinator/main.js', import.meta.url));

/** What `coordinator evaluate --json` says of a run, as far as the table shows it. */
export interface Evaluation {
  readonly faceShare: number;
  readonly frechetDistance: number;
}

/** Faces that no run is trained on, to compare with. */
export const HELD_OUT = { name: 'held-out', count: 4000, seed: 1_000_000 };

/** The networks and the batch of `npm start`. */
const NETWORKS = [
  ...DEMONSTRATION.slice(DEMONSTRATION.indexOf('--architecture'), DEMONSTRATION.indexOf('--epochs')),
  ...['--single-node', '--shards', '1', '--no-http', '--sample-every', '0', '--checkpoint-every', '0'],
];

/** Trains a setting on so many drawn faces and evaluates it; what was measured before is read. */
export async function measure(
  { folder, steps, samples, limit }: BenchOptions,
  setting: Setting,
  count: number,
  seed: number,
): Promise<Evaluation> {
  await mkdir(folder, { recursive: true });
  const name = `${setting.name.replaceAll(' ', '-')}-${count}-faces-${steps}-steps-seed-${seed}`;
  const result = join(folder, `${name}.json`);
  if (existsSync(result)) return JSON.parse(await readFile(result, 'utf8')) as Evaluation;
  const coordinator = (args: readonly string[]): Promise<string> => runCoordinator(args, limit);
  const faces = await drawn(folder, `faces-${count}`, count, 0, coordinator);
  const heldOut = await drawn(folder, HELD_OUT.name, HELD_OUT.count, HELD_OUT.seed, coordinator);
  const run = join(folder, name);
  // A run that was cut off before it was evaluated.
  await rm(run, { recursive: true, force: true });
  const length = ['--steps', String(steps), '--seed', String(seed)];
  await coordinator(['train', '--data', faces, '--run-dir', run, ...NETWORKS, ...length, ...setting.args]);
  const of = ['--count', String(samples), '--data', heldOut];
  const json = await coordinator(['evaluate', run, ...of, '--json']);
  const evaluation = readEvaluation(json);
  await writeFile(result, json);
  return evaluation;
}

/** The path of so many drawn faces; drawn where they are not there yet. */
export async function drawn(
  folder: string,
  name: string,
  count: number,
  seed: number,
  coordinator: (args: readonly string[]) => Promise<string>,
): Promise<string> {
  const path = join(folder, name);
  if (!existsSync(path))
    await coordinator(['dataset', path, '--count', String(count), '--seed', String(seed)]);
  return path;
}

export function readEvaluation(json: string): Evaluation {
  const { faceShare, frechetDistance } = JSON.parse(json) as Partial<Evaluation>;
  if (!Number.isFinite(faceShare) || !Number.isFinite(frechetDistance))
    throw new Error('`coordinator evaluate --json` has no faceShare and frechetDistance');
  return { faceShare: faceShare as number, frechetDistance: frechetDistance as number };
}

/** What the program says; it may take `timeout` milliseconds. */
export async function runCoordinator(args: readonly string[], timeout: number): Promise<string> {
  const options = { timeout, maxBuffer: 64 * 1024 * 1024 };
  const { stdout } = await promisify(execFile)(process.execPath, [COORDINATOR, ...args], options);
  return stdout;
}
