import { availableParallelism } from 'node:os';
import { cacheFolder } from '../common/files/cache-folder.js';
import { chooseEngine } from '../engine/choose-engine.js';
import type { EngineChoice } from '../engine/engine.js';
import { engineEnvironment } from '../engine/environment.js';
import { IMAGE_CHANNELS } from '../model/architecture.js';
import { ReplicaHandle } from '../model/replica-handle.js';
import { sharedFloats } from '../model/replica-protocol.js';
import type { TrainingOptions } from '../model/training-options.js';
import type { StateSource } from '../model/state-source.js';
import type { Latent } from './latents.js';

/** Images that are drawn at a time: bounds the memory. */
const BATCH = 64;

/** A generator that is loaded from a checkpoint. It draws with the running statistics. Close it. */
export class Painter {
  private constructor(
    private readonly replica: ReplicaHandle,
    private readonly training: TrainingOptions,
  ) {}

  static async load(
    training: TrainingOptions,
    state: Pick<StateSource, 'bytes' | 'read'>,
    choice: EngineChoice,
  ): Promise<Painter> {
    const replica = new ReplicaHandle();
    try {
      const { name } = await chooseEngine(choice, cacheFolder());
      Object.assign(process.env, engineEnvironment({ threads: availableParallelism() }));
      const { learningRate, beta1 } = training;
      await replica.call('load', { engine: name, model: training, optimizer: { learningRate, beta1 } });
      const floats = sharedFloats(state.bytes / Float32Array.BYTES_PER_ELEMENT);
      new Uint8Array(floats.buffer).set(await state.read(0, state.bytes));
      await replica.call('restore', { state: floats });
      return new Painter(replica, training);
    } catch (error) {
      await replica.close();
      throw error;
    }
  }

  /** [faces, size, size, 3], in [-1, 1], a batch at a time. */
  async *batches(latents: readonly Latent[]): AsyncGenerator<Float32Array> {
    const { latentSize, imageSize } = this.training;
    for (let first = 0; first < latents.length; first += BATCH) {
      const batch = latents.slice(first, first + BATCH);
      const noise = sharedFloats(batch.length * latentSize);
      for (const [face, latent] of batch.entries()) noise.set(latent, face * latentSize);
      const into = sharedFloats(batch.length * imageSize ** 2 * IMAGE_CHANNELS);
      await this.replica.call('generate', { noise, into });
      yield into;
    }
  }

  /** All of them. [faces, size, size, 3] */
  async paint(latents: readonly Latent[]): Promise<Float32Array> {
    const images = new Float32Array(latents.length * this.training.imageSize ** 2 * IMAGE_CHANNELS);
    let offset = 0;
    for await (const batch of this.batches(latents)) {
      images.set(batch, offset);
      offset += batch.length;
    }
    return images;
  }

  close(): Promise<void> {
    return this.replica.close();
  }
}
