import { PackWriter } from '../data/index.js';
import type { EngineChoice } from '../engine/engine.js';
import type { TrainingOptions } from '../model/training-options.js';
import type { Checkpoint } from '../run/checkpoint/checkpoint.js';
import { faceBytes } from '../sampling/face-bytes.js';
import { latentOf } from '../sampling/latents.js';
import { Painter } from '../sampling/face-generator.js';

export interface SamplesRequest {
  readonly training: TrainingOptions;
  readonly checkpoint: Checkpoint;
  readonly count: number;
  readonly seed: number;
  readonly engine: EngineChoice;
}

/** Draws the faces that `generate --seed` draws, into a pack: 8 bits a channel, as real ones are. */
export async function packSamples(
  path: string,
  { training, checkpoint, count, seed, engine }: SamplesRequest,
): Promise<void> {
  const latents = Array.from({ length: count }, (_, face) => latentOf(seed, face, training.latentSize));
  const painter = await Painter.load(training, checkpoint, engine);
  try {
    const writer = await PackWriter.create(path, {
      ...{ size: training.imageSize, count },
      // It grows where it will lie: who removes that leaves nothing.
      temporary: path,
    });
    try {
      for await (const batch of painter.batches(latents)) await writer.write(faceBytes(batch));
    } catch (error) {
      await writer.abort();
      throw error;
    }
    await writer.finish();
  } finally {
    await painter.close();
  }
}
