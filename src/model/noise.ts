import { fillNormal, randomStream } from '../common/random.js';

/** The tutorial's grid: 8 x 8 faces from fixed noise. */
export const SAMPLE_COUNT = 64;

/** The noise of one shard in one batch, z from N(0, 1): [batch, latent]. Depends on seed, batch and shard alone. */
export function shardNoise(seed: number, batch: number, shard: number, into: Float32Array): Float32Array {
  return fillNormal(into, randomStream(seed, 'noise', batch, shard));
}

/** The noise that every sample grid of a run is drawn from: [SAMPLE_COUNT, latent]. */
export function sampleNoise(seed: number, latentSize: number): Float32Array {
  return fillNormal(new Float32Array(SAMPLE_COUNT * latentSize), randomStream(seed, 'samples'));
}
