import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { meanArray } from '../src/averaging/mean-array.js';
import { PartPool } from '../src/averaging/part-pool.js';
import { writeShard } from '../src/averaging/shard-writer.js';
import { planAllHere } from '../src/averaging/sum-plan.js';
import { cutVector } from '../src/averaging/vector-cuts.js';
import { normOf, VectorSums } from '../src/averaging/vector-sums.js';
import type { WireFormat } from '../src/averaging/wire-format.js';
import { nativeBackend } from '../src/engine/native/index.js';
import { Recording } from '../src/engine/recording/index.js';
import type { ModelOptions } from '../src/model/architecture.js';
import { modelLayout } from '../src/model/layout.js';
import { shardNoise } from '../src/model/noise.js';
import { phaseLayout, PHASES, readMeasures, type Phase } from '../src/model/phase.js';
import { RecordedReplica } from '../src/model/recorded-replica.js';
import { initialState } from '../src/model/state.js';
import { discs } from './support/engine/discs.js';
import { startEngine } from './support/engine/start-engine.js';
import { OPTIMIZER } from './support/small-model.js';

const skip = await startEngine('native');

const MODEL: ModelOptions = {
  ...{ architecture: 'tutorial', imageSize: 32, latentSize: 16 },
  ...{ generatorFeatures: 4, discriminatorFeatures: 4 },
};
const SHARDS = 2;
/** Of a shard. */
const BATCH = 8;
const STEPS = 500;
/** Losses are compared as means over so many steps. */
const WINDOW = 100;

describe('training with gradients that are sent in fewer bits', { skip }, () => {
  it('has loss curves within the spread of three float32 seeds over 500 steps, and other numbers', (test) => {
    const seeds = [1, 2, 3].map((seed) => lossCurves('fp32', seed));
    for (const wire of ['bf16'] as const) {
      const curves = lossCurves(wire, 1);
      for (const phase of PHASES) {
        assert.notDeepEqual(curves[phase], seeds[0][phase]);
        for (const [window, loss] of curves[phase].entries()) {
          const others = seeds.map((seed) => seed[phase][window]);
          const [least, most] = [Math.min(...others), Math.max(...others)];
          // Three seeds show but a part of how far seeds lie apart.
          const margin = (most - least) / 2;
          const report =
            `${phase}, steps to ${(window + 1) * WINDOW}: ${wire} ${loss.toFixed(3)}, ` +
            `fp32 ${others.map((other) => other.toFixed(3)).join(' ')}`;
          test.diagnostic(report);
          assert.ok(loss >= least - margin && loss <= most + margin, report);
        }
      }
    }
  });
});

/** Means of the losses over each window. */
function lossCurves(wire: WireFormat, seed: number): Record<Phase, number[]> {
  const options = {
    model: MODEL,
    optimizer: OPTIMIZER,
    batch: BATCH,
    samples: BATCH,
    precision: 'fp32',
  } as const;
  const replica = new RecordedReplica(new Recording(nativeBackend()), options);
  replica.restore(initialState(modelLayout(MODEL), seed));
  const average = { discriminator: averager('discriminator', wire), generator: averager('generator', wire) };
  const curves: Record<Phase, number[]> = { discriminator: [], generator: [] };
  for (let window = 0; window < STEPS / WINDOW; window++) {
    const sums = { discriminator: 0, generator: 0 };
    for (let step = window * WINDOW + 1; step <= (window + 1) * WINDOW; step++)
      for (const phase of PHASES) {
        const vectors = Array.from({ length: SHARDS }, (_, shard) => {
          const noise = shardNoise(seed, step, shard, new Float32Array(BATCH * MODEL.latentSize));
          const images =
            phase === 'discriminator' ? discs(SHARDS * step + shard, BATCH, MODEL.imageSize) : undefined;
          return replica.compute(phase, images, noise);
        });
        const mean = average[phase](vectors);
        replica.apply(phase, step, mean);
        sums[phase] += readMeasures(phase, mean).loss;
      }
    for (const phase of PHASES) curves[phase].push(sums[phase] / WINDOW);
  }
  replica.dispose();
  return curves;
}

/** The mean of shards' vectors as they are sent, one step after the other. */
function averager(phase: Phase, wire: WireFormat): (vectors: readonly Float32Array[]) => Float32Array {
  const { length, gradient } = phaseLayout(phase, modelLayout(MODEL));
  const cuts = cutVector({ length, gradientEnd: gradient.end, wire });
  const mean = meanArray(length, wire);
  const pool = new PartPool();
  const ignore = (): void => undefined;
  const plan = planAllHere('sequential', SHARDS);
  return (vectors) => {
    const sums = new VectorSums({
      ...{ planOf: () => plan, mean, pool, gradientEnd: gradient.end },
      ...{ onOperand: ignore, onMean: ignore },
    });
    for (const [shard, vector] of vectors.entries())
      for (const { cut, payload } of writeShard(vector, cuts, pool)) sums.add(shard, cut, payload);
    assert.ok(Number.isFinite(normOf(sums.squares)));
    return mean.floats;
  };
}
