import { printable } from '#printable';
import { print } from '../common/console.js';
import type { EngineChoice } from '../engine/engine.js';
import { openCheckpoint } from '../run/checkpoint/open-checkpoint.js';
import { savedTraining } from '../run/saved-options.js';
import { openRunAt } from '../run/run-directory.js';
import { Painter } from '../sampling/face-generator.js';
import { planFaces, type GenerateArguments } from '../sampling/generation-plan.js';
import { writeFaces } from '../sampling/write-faces.js';

/**
 * `coordinator generate RUN`: new faces from the newest checkpoint, or from the one that is named, drawn with the running
 * statistics.
 */
export async function generate(
  where: string,
  given: GenerateArguments & { readonly engine: EngineChoice },
): Promise<void> {
  const { run, checkpoint: path } = await openRunAt(where);
  const training = await savedTraining(run);
  const plan = planFaces(given, training.latentSize);
  const advise = (whole: string): string => `draw with the one before by generate ${whole}`;
  const checkpoint = await openCheckpoint({ run, training, path, advise });
  try {
    const painter = await Painter.load(training, checkpoint, given.engine);
    try {
      await writeFaces(plan, painter, training.imageSize, given.out);
    } finally {
      await painter.close();
    }
  } finally {
    await checkpoint.close();
  }
  await print(`${printable(given.out)}: ${plan.latents.length} faces from step ${checkpoint.facts.step}\n`);
}
