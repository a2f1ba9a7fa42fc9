import { print } from '../common/console.js';
import type { ModelOptions } from '../model/architecture.js';
import { checkModelOptions } from '../model/architecture.js';
import { formatSummary, summariseDiscriminator, summariseGenerator } from '../model/summary.js';
import { savedTraining } from '../run/saved-options.js';
import { openRunAt } from '../run/run-directory.js';

/** `coordinator summary [RUN]`: the structure of both networks, of a run or as the options say. */
export async function printSummary(where: string | undefined, options: ModelOptions): Promise<void> {
  const model = where === undefined ? options : await savedTraining((await openRunAt(where)).run);
  checkModelOptions(model);
  await print(
    `Generator\n${formatSummary(summariseGenerator(model))}\n` +
      `Discriminator\n${formatSummary(summariseDiscriminator(model))}`,
  );
}
