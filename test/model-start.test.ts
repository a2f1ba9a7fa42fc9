import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { NETWORKS, type ModelOptions } from '../src/model/architecture.js';
import { modelLayout } from '../src/model/layout.js';
import { sampleNoise, SAMPLE_COUNT, shardNoise } from '../src/model/noise.js';
import { fillInitialState, initialState, stateLayout, stateParts } from '../src/model/state.js';
import { moments } from './support/moments.js';

const MODEL: ModelOptions = {
  architecture: 'tutorial',
  imageSize: 64,
  latentSize: 100,
  generatorFeatures: 16,
  discriminatorFeatures: 16,
};

const layout = modelLayout(MODEL);
const { length, slots } = stateLayout(layout);

/** A state's tensors by name. */
function tensorsOf(state: Float32Array, places = slots): Map<string, Float32Array> {
  return new Map(places.map(({ name, offset, size }) => [name, state.subarray(offset, offset + size)]));
}

describe('the initial state', () => {
  const state = initialState(layout, 1);
  const tensors = [...tensorsOf(state)];

  it('has kernels from N(0, 0.02) and gammas from N(1, 0.02), as "weights_init" of the tutorial', () => {
    for (const [suffix, expected] of [
      ['.kernel', 0],
      ['.gamma', 1],
    ] as const) {
      const chosen = tensors.filter(([name]) => name.includes('.parameters.') && name.endsWith(suffix));
      assert.ok(chosen.length >= 6);
      for (const [name, values] of chosen) {
        const { mean, deviation, skewness, kurtosis } = moments(values);
        const count = values.length;
        // Within five deviations of each estimate.
        assert.ok(Math.abs(mean - expected) < (5 * 0.02) / Math.sqrt(count), `${name}: mean ${mean}`);
        assert.ok(
          Math.abs(deviation / 0.02 - 1) < 5 / Math.sqrt(2 * count),
          `${name}: deviation ${deviation}`,
        );
        assert.ok(Math.abs(skewness) < 5 * Math.sqrt(6 / count), `${name}: skewness ${skewness}`);
        // With few values the estimate of the kurtosis is far from normal itself.
        if (count > 1000)
          assert.ok(Math.abs(kurtosis - 3) < 5 * Math.sqrt(24 / count), `${name}: kurtosis ${kurtosis}`);
      }
    }
  });

  it('starts beta, both moments of Adam and running means at 0, running variances at 1', () => {
    const filled = (pattern: RegExp, expected: number): void => {
      const chosen = tensors.filter(([name]) => pattern.test(name));
      assert.ok(chosen.length >= 7);
      for (const [name, values] of chosen)
        assert.ok(
          values.every((value) => value === expected),
          name,
        );
    };
    filled(/\.parameters\..*\.beta$/, 0);
    filled(/\.(first|second)Moment\./, 0);
    filled(/\.runningStatistics\..*\.mean$/, 0);
    filled(/\.runningStatistics\..*\.variance$/, 1);
  });

  it('is the same for the same seed, also in an array that held something else, and another for another', () => {
    assert.deepEqual(initialState(layout, 1), state);
    assert.deepEqual(initialState(layout, 1, new Float32Array(length).fill(NaN)), state);
    assert.notDeepEqual(initialState(layout, 2), state);
  });

  it('is the same made part by part, each part of whole tensors', () => {
    const pieces = new Float32Array(length);
    for (const most of [1, 5000, length]) {
      const parts = stateParts(stateLayout(layout), most);
      assert.deepEqual([parts.at(0)?.start, parts.at(-1)?.end], [0, length]);
      for (const { start, end } of parts)
        fillInitialState(layout, 1, pieces.subarray(start, end).fill(NaN), start);
      assert.deepEqual(pieces, state, `parts of ${most}`);
    }
    assert.equal(stateParts(stateLayout(layout), length).length, 1);
    assert.throws(() => fillInitialState(layout, 1, pieces.subarray(1), 1), /do not fit the tensors/);
    assert.throws(() => fillInitialState(layout, 1, pieces.subarray(0, 3), 0), /do not fit the tensors/);
  });

  it('gives each tensor numbers of its own', () => {
    const random = tensors.filter(([name]) => /\.parameters\..*\.kernel$/.test(name));
    assert.equal(new Set(random.map(([, values]) => values[0])).size, random.length);
  });

  it('keeps the tensors that a change of size elsewhere leaves alone', () => {
    const wider = modelLayout({ ...MODEL, latentSize: 7, generatorFeatures: 8 });
    const others = tensorsOf(initialState(wider, 1), stateLayout(wider).slots);
    for (const [name, values] of tensors.filter(([name]) => name.startsWith(NETWORKS[0])))
      assert.deepEqual(others.get(name), values, name);
  });
});

describe('noise', () => {
  const COUNT = 64 * 100;
  const noise = (seed: number, step: number, shard: number): Float32Array =>
    shardNoise(seed, step, shard, new Float32Array(COUNT));

  it('is N(0, 1)', () => {
    for (const values of [noise(0, 1, 0), sampleNoise(0, 100)]) {
      const { mean, deviation, skewness, kurtosis } = moments(values);
      assert.ok(Math.abs(mean) < 5 / Math.sqrt(COUNT), `mean ${mean}`);
      assert.ok(Math.abs(deviation - 1) < 5 / Math.sqrt(2 * COUNT), `deviation ${deviation}`);
      assert.ok(Math.abs(skewness) < 5 * Math.sqrt(6 / COUNT), `skewness ${skewness}`);
      assert.ok(Math.abs(kurtosis - 3) < 5 * Math.sqrt(24 / COUNT), `kurtosis ${kurtosis}`);
    }
  });

  it('is the same for the same seed, step and shard', () => {
    assert.deepEqual(noise(1, 2, 3), noise(1, 2, 3));
    assert.deepEqual(sampleNoise(1, 100), sampleNoise(1, 100));
    assert.equal(sampleNoise(1, 100).length, SAMPLE_COUNT * 100);
  });

  it('is not correlated between seeds, steps and shards', () => {
    const all = [
      noise(0, 1, 0),
      noise(1, 1, 0),
      noise(0, 2, 0),
      noise(0, 1, 1),
      noise(0, 0, 1),
      sampleNoise(0, 100),
    ];
    for (const [index, one] of all.entries())
      for (const other of all.slice(index + 1)) {
        const correlation = one.reduce((sum, value, i) => sum + value * other[i], 0) / COUNT;
        assert.ok(Math.abs(correlation) < 5 / Math.sqrt(COUNT), `correlation ${correlation}`);
      }
  });
});
