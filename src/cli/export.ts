import { join } from 'node:path';
import { makeFolderAtomically } from '../common/files/atomic-folder.js';
import { writeFileAtomically } from '../common/files/atomic-file.js';
import { print } from '../common/console.js';
import { drawingSlot } from '../model/average-slots.js';
import { modelLayout } from '../model/layout.js';
import { stateLayout } from '../model/state.js';
import type { TrainingOptions } from '../model/training-options.js';
import { floatsOf } from '../common/bytes.js';
import type { Checkpoint } from '../run/checkpoint/checkpoint.js';
import { openCheckpoint } from '../run/checkpoint/open-checkpoint.js';
import { savedTraining } from '../run/saved-options.js';
import { openRunAt } from '../run/run-directory.js';
import { shown } from '../common/display-path.js';
import { exportReadme } from '../formats/export-readme.js';
import type { ExportedWeights } from '../formats/exported-weights.js';
import { CONFIG_FILE, weightsConfig, type ExportFormat } from '../formats/weights-config.js';
import { writePyTorch } from '../formats/write-pytorch.js';
import { writeTfjs } from '../formats/write-tfjs.js';

export interface ExportArguments {
  readonly format: ExportFormat;
  readonly out: string;
}

const WRITERS: Readonly<Record<ExportFormat, (folder: string, weights: ExportedWeights) => Promise<void>>> = {
  pytorch: writePyTorch,
  tfjs: writeTfjs,
};

/** `coordinator export RUN`: the weights of the newest checkpoint, or of the one that is named, for other programs. */
export async function exportWeights(where: string, { format, out }: ExportArguments): Promise<void> {
  const { run, checkpoint: path } = await openRunAt(where);
  const training = await savedTraining(run);
  const advise = (whole: string): string => `export the one before by export ${whole}`;
  const checkpoint = await openCheckpoint({ run, training, path, advise });
  try {
    const weights = weightsOf(checkpoint, training, format);
    await makeFolderAtomically(out, '--out', async (folder) => {
      await WRITERS[format](folder, weights);
      await writeFileAtomically(
        join(folder, CONFIG_FILE),
        `${JSON.stringify(weights.config, undefined, 2)}\n`,
      );
      await writeFileAtomically(join(folder, 'README.md'), exportReadme(weights.config));
    });
  } finally {
    await checkpoint.close();
  }
  await print(`${shown(out)}: ${format} weights from step ${checkpoint.facts.step}\n`);
}

function weightsOf(checkpoint: Checkpoint, training: TrainingOptions, format: ExportFormat): ExportedWeights {
  const layout = modelLayout(training);
  const slots = new Map(stateLayout(layout).slots.map((slot) => [slot.name, slot]));
  return {
    config: weightsConfig(format, training, checkpoint.facts),
    layout,
    read: async (name) => {
      const slot = slots.get(drawingSlot(layout, name));
      if (!slot) throw new Error(`a state has no ${name}`);
      const size = Float32Array.BYTES_PER_ELEMENT;
      return floatsOf(await checkpoint.read(slot.offset * size, slot.size * size));
    },
  };
}
