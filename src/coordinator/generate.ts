import { availableParallelism } from 'node:os';
import { cacheFolder } from '../common/cache-folder.js';
import { fillNormal, randomStream } from '../common/random.js';
import { chooseEngine } from '../engine/choose-engine.js';
import type { EngineChoice } from '../engine/engine.js';
import { engineEnvironment } from '../engine/environment.js';
import { IMAGE_CHANNELS } from '../model/architecture.js';
import { ReplicaHandle } from '../model/replica-handle.js';
import { sharedFloats } from '../model/replica-protocol.js';
import type { TrainingOptions } from '../model/training-options.js';
import type { Checkpoint } from './checkpoint/checkpoint.js';
import { openCheckpoint } from './checkpoint/open-checkpoint.js';
import { savedTraining } from './resume.js';
import { makeGrid } from './run/image-grid.js';
import { writePicture } from './run/picture.js';
import { openRunAt } from './run/run-folder.js';

/** Images that are drawn at a time: bounds the memory. */
const BATCH = 64;

export interface GenerateArguments {
  readonly count: number;
  readonly seed: number;
  readonly out: string;
  readonly engine: EngineChoice;
}

/**
 * `coordinator generate RUN`: a grid of new faces from the newest checkpoint, or from the one that is named, drawn with
 * the running statistics.
 */
export async function generate(
  where: string,
  { count, seed, out, engine }: GenerateArguments,
): Promise<void> {
  const { run, checkpoint: path } = await openRunAt(where);
  const training = await savedTraining(run);
  const advise = (whole: string): string => `draw with the one before by generate ${whole}`;
  const checkpoint = await openCheckpoint({ run, training, path, advise });
  const replica = new ReplicaHandle();
  try {
    await load(replica, training, checkpoint, engine);
    const images = await draw(replica, training, count, seed);
    await writePicture(out, makeGrid(images, { count, size: training.imageSize }));
  } finally {
    await checkpoint.close();
    await replica.close();
  }
  process.stdout.write(`${out}: ${count} faces from step ${checkpoint.facts.step}\n`);
}

async function load(
  replica: ReplicaHandle,
  training: TrainingOptions,
  checkpoint: Checkpoint,
  choice: EngineChoice,
): Promise<void> {
  const { name } = await chooseEngine(choice, cacheFolder());
  Object.assign(process.env, engineEnvironment({ threads: availableParallelism() }));
  const { learningRate, beta1 } = training;
  await replica.call('load', { engine: name, model: training, optimizer: { learningRate, beta1 } });
  const state = sharedFloats(checkpoint.bytes / Float32Array.BYTES_PER_ELEMENT);
  new Uint8Array(state.buffer).set(await checkpoint.read(0, checkpoint.bytes));
  await replica.call('restore', { state });
}

/** Face i of a seed is the same whatever the count. [count * size * size * 3] */
async function draw(
  replica: ReplicaHandle,
  training: TrainingOptions,
  count: number,
  seed: number,
): Promise<Float32Array> {
  const { latentSize, imageSize } = training;
  const numbers = imageSize ** 2 * IMAGE_CHANNELS;
  const images = new Float32Array(count * numbers);
  for (let first = 0; first < count; first += BATCH) {
    const batch = Math.min(BATCH, count - first);
    const noise = sharedFloats(batch * latentSize);
    for (let face = 0; face < batch; face++)
      fillNormal(
        noise.subarray(face * latentSize, (face + 1) * latentSize),
        randomStream(seed, 'face', first + face),
      );
    const into = sharedFloats(batch * numbers);
    await replica.call('generate', { noise, into });
    images.set(into, first * numbers);
  }
  return images;
}
