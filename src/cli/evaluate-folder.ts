import { existsSync } from 'node:fs';
import { cacheFolder } from '../common/files/cache-folder.js';
import { UserError } from '../common/errors.js';
import { say } from '../common/log.js';
import { chooseEngine } from '../engine/choose-engine.js';
import { taskProgress } from '../common/task-progress.js';
import type { EvaluateArguments } from './evaluate-arguments.js';
import { evaluatePacks } from '../evaluation/evaluate-packs.js';
import { countFor } from '../evaluation/sample-count.js';
import { printEvaluation } from '../evaluation/evaluation-text.js';
import { realFaces } from '../evaluation/real-faces.js';

/** Default image size for a folder. */
const DEFAULT_SIZE = 64;

/** Reports how face-like the pictures in a folder are, such as those that another program has drawn. */
export async function evaluateFolder(folder: string, given: EvaluateArguments): Promise<void> {
  const { data, step, imageSize = DEFAULT_SIZE, seed } = given;
  if (step !== undefined) throw new UserError(`${folder} is not a run, which --step would be of`);
  if (!existsSync(folder))
    throw new UserError(`there is no ${folder}: give a run's directory, or a folder of pictures and --data`);
  if (data === undefined)
    throw new UserError(
      `${folder} is not a run: to evaluate the pictures in it, give --data the real faces to compare with`,
    );
  // `generate --each` and other programs put pictures directly into a folder.
  const pictures = await realFaces({ data: folder, layout: 'any', followLinks: true }, imageSize);
  const reals = await realFaces({ data }, imageSize);
  const count = Math.min(pictures.count, countFor(given.count, reals.count));
  const { name: engine } = await chooseEngine(given.engine, cacheFolder());
  const progress = taskProgress('looking for faces');
  const { evaluation } = await evaluatePacks({
    ...{ samples: pictures.pack, reals: reals.pack, count, seed, engine, onProgress: progress.update },
  }).finally(progress.stop);
  await printEvaluation(folder, evaluation, given);
  if (count < given.count) say(`with ${count} pictures: there are no more, or not twice as many real faces`);
}
