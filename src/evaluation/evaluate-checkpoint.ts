import { mkdir, rm } from 'node:fs/promises';
import { cacheFolder } from '../common/files/cache-folder.js';
import { Faces, temporaryPackPath } from '../data/index.js';
import { chooseEngine } from '../engine/choose-engine.js';
import type { EngineChoice } from '../engine/engine.js';
import { findFacePackage } from './face-package.js';
import type { TrainingOptions } from '../model/training-options.js';
import type { Checkpoint } from '../run/checkpoint/checkpoint.js';
import { writePicture } from '../sampling/picture.js';
import type { RunFolder } from '../run/run-directory.js';
import { evaluatePacks } from './evaluate-packs.js';
import { countFor } from './sample-count.js';
import { packSamples } from './samples-pack.js';
import { writeEvaluation, type SavedEvaluation } from './evaluation-file.js';

export interface EvaluateCheckpointOptions {
  readonly run: RunFolder;
  readonly training: TrainingOptions;
  readonly checkpoint: Checkpoint;
  /** The pack of real faces. */
  readonly reals: string;
  /** Samples at most: there have to be twice as many real faces. */
  readonly count: number;
  readonly seed: number;
  readonly engine: EngineChoice;
  /** Path of the temporary samples. */
  readonly temporary?: string;
  readonly onProgress?: (done: number, total: number) => void;
}

/** Draws samples with a checkpoint, evaluates them, and leaves the result and the sheet in the run. */
export async function evaluateCheckpoint(options: EvaluateCheckpointOptions): Promise<SavedEvaluation> {
  const { run, training, checkpoint, reals, seed, onProgress } = options;
  const { version } = findFacePackage();
  const count = countFor(options.count, countIn(reals));
  const samples = options.temporary ?? temporaryPackPath(cacheFolder());
  const { name: engine } = await chooseEngine(options.engine, cacheFolder());
  await mkdir(run.evaluations, { recursive: true });
  try {
    await packSamples(samples, { training, checkpoint, count, seed, engine });
    const { evaluation, sheet } = await evaluatePacks({
      ...{ samples, reals, count, seed, engine, realAnalysis: run.realAnalysis },
      ...(onProgress && { onProgress }),
    });
    const { step } = checkpoint.facts;
    const saved = { step, ...evaluation, seed, engine, facePackage: version };
    await writePicture(run.neighboursPicture(step), sheet);
    await writeEvaluation(run, saved);
    return saved;
  } finally {
    await rm(samples, { force: true });
  }
}

function countIn(pack: string): number {
  const faces = Faces.open(pack);
  try {
    return faces.count;
  } finally {
    faces.close();
  }
}
