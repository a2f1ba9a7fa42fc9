import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const COORDINATOR = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));

/** Faces that no run is trained on, to compare with. */
const HELD_OUT = { name: 'held-out', count: 4000, seed: 1_000_000 };

/** What `coordinator evaluate --json` says of a run, as far as tables show it. */
export interface Evaluation {
  readonly faceShare: number;
  readonly frechetDistance: number;
}

export interface RunToEvaluate {
  /** Of drawn faces and runs: faces that are there already are not drawn again. */
  readonly folder: string;
  /** The run's folder in it. */
  readonly name: string;
  /** Drawn faces to train on. */
  readonly faces: number;
  /** Of `coordinator train`, besides those that say where and on what. */
  readonly options: readonly string[];
  /** Samples of the evaluation, and as many real faces. */
  readonly samples: number;
  /** Milliseconds that a program may take. */
  readonly limit: number;
}

/** Trains on drawn faces, and evaluates beside others. Resolves with the run's path too. */
export async function evaluatedRun(wanted: RunToEvaluate): Promise<{ run: string; evaluation: Evaluation }> {
  const { folder, name, faces: count, options, samples, limit } = wanted;
  await mkdir(folder, { recursive: true });
  const faces = await drawnFaces(folder, { name: `faces-${count}`, count, seed: 0 }, limit);
  const heldOut = await drawnFaces(folder, HELD_OUT, limit);
  const run = join(folder, name);
  // A run that was cut off before it was evaluated.
  await rm(run, { recursive: true, force: true });
  await coordinator(['train', '--data', faces, '--run-dir', run, ...options], limit);
  const of = ['--count', String(samples), '--data', heldOut];
  return { run, evaluation: readEvaluation(await coordinator(['evaluate', run, ...of, '--json'], limit)) };
}

async function drawnFaces(
  folder: string,
  { name, count, seed }: { readonly name: string; readonly count: number; readonly seed: number },
  limit: number,
): Promise<string> {
  const path = join(folder, name);
  if (!existsSync(path))
    await coordinator(['dataset', path, '--count', String(count), '--seed', String(seed)], limit);
  return path;
}

export function readEvaluation(json: string): Evaluation {
  const { faceShare, frechetDistance } = JSON.parse(json) as Partial<Evaluation>;
  if (!Number.isFinite(faceShare) || !Number.isFinite(frechetDistance))
    throw new Error('`coordinator evaluate --json` has no faceShare and frechetDistance');
  return { faceShare: faceShare as number, frechetDistance: frechetDistance as number };
}

async function coordinator(args: readonly string[], timeout: number): Promise<string> {
  const options = { timeout, maxBuffer: 64 * 1024 * 1024 };
  const { stdout } = await promisify(execFile)(process.execPath, [COORDINATOR, ...args], options);
  return stdout;
}
