import { existsSync } from 'node:fs';
import { UserError } from '../common/errors.js';
import { say } from '../common/log.js';
import type { TrainingOptions } from '../model/training-options.js';
import type { Checkpoint } from '../run/checkpoint/checkpoint.js';
import { listCheckpoints, stepOf } from '../run/checkpoint/checkpoint-files.js';
import { openCheckpoint, openNewestWhole } from '../run/checkpoint/open-checkpoint.js';
import { savedArguments, savedTraining } from '../run/saved-options.js';
import type { RunPlace } from '../run/run-directory.js';
import { shown } from '../common/display-path.js';
import { taskProgress } from '../common/task-progress.js';
import type { EvaluateArguments } from './evaluate-arguments.js';
import { evaluateCheckpoint } from '../evaluation/evaluate-checkpoint.js';
import { printEvaluation } from '../evaluation/evaluation-text.js';
import { realFaces } from '../evaluation/real-faces.js';

/** Draws samples with a checkpoint of a run, and reports how face-like they are. */
export async function evaluateRun(place: RunPlace, given: EvaluateArguments): Promise<void> {
  const { run } = place;
  if (given.imageSize !== undefined)
    throw new UserError('a run has its own size of pictures: leave --image-size out');
  const training = await savedTraining(run);
  const checkpoint = await openFor(place, training, given.step);
  try {
    const saved = given.data === undefined ? await savedArguments(run) : {};
    const reals = await realFaces({ ...saved, ...given }, training.imageSize);
    const progress = taskProgress('looking for faces');
    const evaluation = await evaluateCheckpoint({
      ...{ run, training, checkpoint, reals: reals.pack, onProgress: progress.update },
      ...{ count: given.count, seed: given.seed, engine: given.engine },
    }).finally(progress.stop);
    const { step } = evaluation;
    await printEvaluation(`${shown(run.path)}, step ${step}`, evaluation, given);
    say(`written: ${shown(run.evaluationFile(step))} and ${shown(run.neighboursPicture(step))}`);
  } finally {
    await checkpoint.close();
  }
}

/** The checkpoint that is named, or that of the step, or the newest that is whole. */
async function openFor(
  { run, checkpoint: path }: RunPlace,
  training: TrainingOptions,
  step: number | undefined,
): Promise<Checkpoint> {
  if (path !== undefined && step !== undefined)
    throw new UserError('a checkpoint file is of one step: leave --step out, or give the run');
  const asked = step === undefined ? path : run.checkpointFile(step);
  if (asked === undefined) {
    const onBroken = (error: Error): void => {
      say(`${error.message}: looking for the one before`, { level: 'warn' });
    };
    const newest = await openNewestWhole(run, training, { onBroken });
    if (!newest) throw new UserError(`${shown(run.path)} has no checkpoint that could be evaluated`);
    return newest;
  }
  if (!existsSync(asked)) {
    const steps = (await listCheckpoints(run)).map((file) => stepOf(file));
    throw new UserError(
      `${shown(asked)} is not there: ${steps.length > 0 ? `the run has checkpoints of ${steps.join(', ')}` : 'the run has no checkpoint'}`,
    );
  }
  const advise = (whole: string): string => `evaluate the one before by evaluate ${whole}`;
  return openCheckpoint({ run, training, path: asked, advise });
}
