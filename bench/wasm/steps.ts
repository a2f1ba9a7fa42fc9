// Run by main.ts: some steps in a process of their own. Prints one line of JSON.
import { parseArgs } from 'node:util';
import { engineEnvironment } from '../../src/engine/environment.js';
import { loadEngine } from '../../src/engine/load-engine.js';
import type { ModelOptions } from '../../src/model/architecture.js';
import { EagerReplica } from '../../src/model/eager-replica.js';
import { modelLayout } from '../../src/model/layout.js';
import { shardNoise } from '../../src/model/noise.js';
import { initialState, stateLayout } from '../../src/model/state.js';
import { loadNaive } from './naive.js';
import { profileKernels, type KernelTime } from './profile.js';

export interface Steps {
  /** Of each step, the first apart. */
  readonly seconds: readonly number[];
  /** The discriminator's and the generator's in the first step: either side has the same numbers. */
  readonly losses: readonly number[];
  /** Of all steps but the first; empty unless asked for. */
  readonly profile: readonly KernelTime[];
}

const { values } = parseArgs({
  options: {
    side: { type: 'string' },
    features: { type: 'string' },
    batch: { type: 'string' },
    steps: { type: 'string' },
    profile: { type: 'boolean', default: false },
  },
});

const features = Number(values.features);
const batch = Number(values.batch);
const model: ModelOptions = {
  architecture: 'tutorial',
  imageSize: 64,
  latentSize: 100,
  generatorFeatures: features,
  discriminatorFeatures: features,
};

Object.assign(process.env, engineEnvironment({ threads: 1 }));
if (values.side === 'naive') await loadNaive();
else await loadEngine('wasm');
const profile = values.profile ? profileKernels() : [];

const layout = modelLayout(model);
const replica = new EagerReplica(model, { learningRate: 2e-4, beta1: 0.5 });
replica.restore(initialState(layout, 1, new Float32Array(stateLayout(layout).length)));
const images = shardNoise(2, 1, 0, new Float32Array(batch * model.imageSize ** 2 * 3)).map(Math.tanh);

const seconds: number[] = [];
const losses: number[] = [];
for (let step = 1; step <= Number(values.steps) + 1; step++) {
  if (step === 2) for (const time of profile) Object.assign(time, { calls: 0, milliseconds: 0 });
  const noise = shardNoise(1, step, 0, new Float32Array(batch * model.latentSize));
  const start = performance.now();
  const discriminator = replica.train('discriminator', step, images, noise);
  const generator = replica.train('generator', step, undefined, noise);
  // The first one starts kernels and makes the heap grow.
  if (step > 1) seconds.push((performance.now() - start) / 1000);
  else losses.push(discriminator.measures[0], generator.measures[0]);
}
console.log(JSON.stringify({ seconds, losses, profile } satisfies Steps));
