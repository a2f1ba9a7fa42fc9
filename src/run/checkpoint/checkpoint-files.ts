import { readdir, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { codeOf } from '../../common/errors.js';
import { CHECKPOINT_ENDING, type RunFolder } from '../run-directory.js';
import { stepOfName } from '../step-name.js';

/** Paths of a run's checkpoints, oldest first. */
export async function listCheckpoints(run: RunFolder): Promise<string[]> {
  const steps = (await namesIn(run)).map((name) => stepOfName(name, CHECKPOINT_ENDING));
  return steps
    .filter((step) => step !== undefined)
    .sort((one, other) => one - other)
    .map((step) => run.checkpointFile(step));
}

/** The step in a checkpoint's name; NaN for a file that no run named. */
export function stepOf(path: string): number {
  return stepOfName(basename(path), CHECKPOINT_ENDING) ?? Number.NaN;
}

/** Removes all but the newest `keep` checkpoints. */
export async function pruneCheckpoints(run: RunFolder, keep: number): Promise<void> {
  const files = await listCheckpoints(run);
  await remove(files.slice(0, Math.max(0, files.length - keep)));
}

/**
 * Removes the checkpoints after `step` and partial files of killed processes. Removes the newest first, so that an
 * interruption leaves no gap before a checkpoint.
 */
export async function dropCheckpointsAfter(run: RunFolder, step: number): Promise<void> {
  const halves = (await namesIn(run)).filter((name) => /^step-\d+\.safetensors\.[\w-]+\.tmp$/.test(name));
  await remove(halves.map((name) => join(run.checkpoints, name)));
  const later = (await listCheckpoints(run)).filter((path) => stepOf(path) > step).reverse();
  for (const path of later) await remove([path]);
}

async function namesIn(run: RunFolder): Promise<string[]> {
  try {
    return await readdir(run.checkpoints);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  }
}

async function remove(paths: readonly string[]): Promise<void> {
  await Promise.all(paths.map((path) => rm(path, { force: true })));
}
