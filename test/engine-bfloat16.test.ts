import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Precision } from '../src/engine/engine.js';
import { nativeBackend } from '../src/engine/native/index.js';
import { Recording } from '../src/engine/recording/index.js';
import type { ModelOptions } from '../src/model/architecture.js';
import { DRAWS, DISCRIMINATOR_BATCHES, shardDraws } from '../src/model/augment-draws.js';
import { PHASES } from '../src/model/phase.js';
import { modelLayout } from '../src/model/layout.js';
import { shardNoise } from '../src/model/noise.js';
import { AUGMENTATIONS, type StepOptions } from '../src/model/regularization.js';
import { RecordedReplica } from '../src/model/recorded-replica.js';
import { initialState } from '../src/model/state.js';
import { discs } from './support/engine/discs.js';
import { startEngine } from './support/engine/start-engine.js';
import { OPTIMIZER } from './support/small-model.js';

const skip = await startEngine('native');

const MODEL: ModelOptions = {
  architecture: 'tutorial',
  imageSize: 32,
  latentSize: 16,
  generatorFeatures: 8,
  discriminatorFeatures: 8,
};
const BATCH = 16;
const STEPS = 300;
/** Losses are compared as means over so many steps. */
const WINDOW = 50;

/** Where a processor lacks bfloat16, TensorFlow emulates it: slowly, with the same roundings. */
describe('training in bfloat16', { skip }, () => {
  it('has loss curves within the spread of three float32 seeds over 300 steps', (test) => {
    const seeds = [1, 2, 3].map((seed) => lossCurves('fp32', seed));
    const narrow = lossCurves('bf16', 1);
    for (const network of ['discriminator', 'generator'] as const)
      narrow[network].forEach((loss, window) => {
        const others = seeds.map((curves) => curves[network][window]);
        const [least, most] = [Math.min(...others), Math.max(...others)];
        // Three seeds show but a part of how far seeds lie apart.
        const margin = (most - least) / 2;
        const report = `${network}, steps to ${(window + 1) * WINDOW}: bf16 ${loss.toFixed(3)}, fp32 ${others.map((other) => other.toFixed(3)).join(' ')}`;
        test.diagnostic(report);
        assert.ok(loss >= least - margin && loss <= most + margin, report);
      });
  });

  it('rounds: its first losses are near those of float32, and not the same', () => {
    const [wide, narrow] = (['fp32', 'bf16'] as const).map((precision) => {
      const replica = start(precision, 1);
      const { measures } = replica.train('discriminator', 1, discs(1, BATCH, MODEL.imageSize), noise(1, 1));
      replica.dispose();
      return measures[0];
    });
    assert.notEqual(narrow, wide);
    // bfloat16 has 8 bits of mantissa: a rounding is off by up to 0.4 %, a mean of many by less.
    assert.ok(Math.abs(narrow / wide - 1) < 4e-3, `${narrow}, float32 ${wide}`);
  });

  it('takes a step with all regularization, with losses near those of float32', (test) => {
    const [wide, narrow] = (['fp32', 'bf16'] as const).map((precision) => {
      const replica = start(precision, 1, REFINED);
      const losses = PHASES.map((phase) => {
        const into = new Float32Array(DISCRIMINATOR_BATCHES[phase] * BATCH * DRAWS.length);
        const draws = shardDraws(1, { phase, batch: 1, shard: 0 }, MODEL.imageSize, into);
        return replica.train(phase, 1, discs(1, BATCH, MODEL.imageSize), noise(1, 1), draws).measures[0];
      });
      replica.dispose();
      return losses;
    });
    for (const [index, loss] of narrow.entries()) {
      test.diagnostic(`${PHASES[index]}: bf16 ${loss}, fp32 ${wide[index]}`);
      assert.notEqual(loss, wide[index]);
      assert.ok(Math.abs(loss / wide[index] - 1) < 4e-3, `${PHASES[index]}: ${loss}, float32 ${wide[index]}`);
    }
  });
});

const REFINED: StepOptions = { ...MODEL, ema: 0.9, augment: AUGMENTATIONS.join(), r1: 1 };

function start(precision: Precision, seed: number, model: StepOptions = MODEL): RecordedReplica {
  const options = { model, optimizer: OPTIMIZER, batch: BATCH, samples: BATCH, precision };
  const replica = new RecordedReplica(new Recording(nativeBackend()), options);
  replica.restore(initialState(modelLayout(model), seed));
  return replica;
}

/** Means of the losses over each window. */
function lossCurves(precision: Precision, seed: number): Record<'discriminator' | 'generator', number[]> {
  const curves = { discriminator: [] as number[], generator: [] as number[] };
  const replica = start(precision, seed);
  for (let window = 0; window < STEPS / WINDOW; window++) {
    const sums = { discriminator: 0, generator: 0 };
    for (let step = window * WINDOW + 1; step <= (window + 1) * WINDOW; step++)
      for (const phase of ['discriminator', 'generator'] as const)
        sums[phase] += replica.train(
          phase,
          step,
          discs(step, BATCH, MODEL.imageSize),
          noise(seed, step),
        ).measures[0];
    curves.discriminator.push(sums.discriminator / WINDOW);
    curves.generator.push(sums.generator / WINDOW);
  }
  replica.dispose();
  return curves;
}

function noise(seed: number, step: number): Float32Array {
  return shardNoise(seed, step, 0, new Float32Array(BATCH * MODEL.latentSize));
}
