import { findFacePackage } from '../evaluation/face-package.js';
import { openRunAt, RunFolder, type RunPlace } from '../run/run-directory.js';
import type { EvaluateArguments } from './evaluate-arguments.js';
import { evaluateFolder } from './evaluate-folder.js';
import { evaluateRun } from './evaluate-run.js';

/** `coordinator evaluate`: how face-like the samples of a run are, or the pictures in a folder. */
export async function evaluate(where: string, given: EvaluateArguments): Promise<void> {
  // Before anything that takes time.
  findFacePackage();
  const place = await placeOf(where);
  await (place ? evaluateRun(place, given) : evaluateFolder(where, given));
}

/** Undefined if it is no run. */
async function placeOf(where: string): Promise<RunPlace | undefined> {
  if (where.endsWith('.safetensors')) return openRunAt(where);
  const run = await RunFolder.openBegun(where);
  return run && { run, checkpoint: undefined };
}
