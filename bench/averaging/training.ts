import type { WireFormat } from '../../src/averaging/wire-format.js';
import type { Topology } from '../../src/averaging/topology.js';
import { modelLayout } from '../../src/model/layout.js';
import { phaseLayout } from '../../src/model/phase.js';
import type { TrainingOptions } from '../../src/model/training-options.js';

/**
 * A run of one shard a worker whose generator phase has the vector that is measured: 25.3 MB, as large as both gradients
 * of the tutorial's networks together. Its discriminator phase has next to nothing.
 */
export function stubTraining(
  workers: number,
  topology: Topology,
  wire: WireFormat = 'fp32',
): TrainingOptions {
  return {
    ...{ architecture: 'tutorial', imageSize: 64, latentSize: 100 },
    ...{ generatorFeatures: 88, discriminatorFeatures: 4, learningRate: 2e-4, beta1: 0.5 },
    ...{ batchSize: workers, shards: workers, seed: 0, threads: 1, precision: 'fp32', eager: false },
    ...(wire !== 'fp32' && { wire }),
    summation: topology === 'tree' ? 'pairwise' : 'sequential',
  };
}

/** Of the vector that is measured. */
export function vectorFloats(): number {
  return phaseLayout('generator', modelLayout(stubTraining(1, 'star'))).length;
}

/** No images are read: nothing is computed from them. */
export const STUB_DATASET = { fingerprint: '0'.repeat(64), count: 65_536, size: 64 };

/** Each worker's vector has its number + 1 everywhere, so that the mean is known. */
export function meanOf(workers: number): number {
  return (workers + 1) / 2;
}
