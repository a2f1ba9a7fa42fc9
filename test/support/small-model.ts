import { randomStream } from '../../src/common/random.js';
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import type { AdamOptions } from '../../src/model/adam.js';
import type { ModelOptions } from '../../src/model/architecture.js';
import type { TrainingOptions } from '../../src/model/training-options.js';

/** The smallest networks that have every kind of layer. */
export const SMALL_MODEL: ModelOptions = {
  architecture: 'tutorial',
  imageSize: 32,
  latentSize: 8,
  generatorFeatures: 4,
  discriminatorFeatures: 4,
};

export const OPTIMIZER: AdamOptions = { learningRate: 2e-4, beta1: 0.5 };

/** A run of the smallest networks on two shards. */
export const SMALL_TRAINING: TrainingOptions = {
  ...SMALL_MODEL,
  ...OPTIMIZER,
  ...{ batchSize: 16, accumulate: 1, shards: 2, seed: 1, threads: 1, precision: 'fp32', eager: false },
  summation: 'sequential',
};

/** Pixels from the uniform distribution over [-1, 1). [batch * size * size * 3] */
export function randomImages({ imageSize }: ModelOptions, batch: number): Float32Array {
  const stream = randomStream(1, 'images');
  return Float32Array.from(
    { length: batch * imageSize * imageSize * 3 },
    () => 2 * uniformFloat64(stream) - 1,
  );
}
