import { rmSync } from 'node:fs';
import { setPriority } from 'node:os';
import { serveParent } from '../data/child-job.js';
import type { EngineChoice } from '../engine/engine.js';
import { Checkpoint } from '../run/checkpoint/checkpoint.js';
import { savedTraining } from '../run/saved-options.js';
import { RunFolder } from '../run/run-directory.js';
import { evaluateCheckpoint } from './evaluate-checkpoint.js';
import type { StepEvaluation } from './evaluation-file.js';

export interface EvaluationRequest {
  /** The run's directory. */
  readonly run: string;
  readonly checkpoint: string;
  /** The pack of real faces. */
  readonly reals: string;
  readonly count: number;
  readonly engine: EngineChoice;
  /** Path of the temporary samples. */
  readonly temporary: string;
}

/** Takes what training leaves, and still gets some of it where training takes all cores. */
const PRIORITY = 10;

/** The same faces each time, so that what changes is the generator. */
const SEED = 0;

/** The child process of RunEvaluations. Its own child and threads have its priority. */
serveParent<EvaluationRequest>(
  async ({ run: path, checkpoint: file, ...request }): Promise<StepEvaluation> => {
    setPriority(PRIORITY);
    const run = await RunFolder.open(path);
    const training = await savedTraining(run);
    const checkpoint = await Checkpoint.open(file, training);
    try {
      return await evaluateCheckpoint({ run, training, checkpoint, seed: SEED, ...request });
    } finally {
      await checkpoint.close();
    }
  },
  ({ temporary }) => {
    rmSync(temporary, { force: true });
  },
);
