import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { fillNormal, randomStream } from '../src/common/random.js';
import { bootstrapInterval } from '../src/evaluation/bootstrap.js';
import { frechetDistance } from '../src/evaluation/frechet-distance.js';
import { fitGaussian } from '../src/evaluation/gaussian.js';
import { Nearest, nearestOfEach } from '../src/evaluation/nearest.js';
import { wilsonInterval } from '../src/evaluation/wilson-interval.js';

const close = (actual: number, expected: number, tolerance: number): void => {
  assert.ok(Math.abs(actual - expected) <= tolerance, `${actual} is not ${expected}`);
};
const between = (one: readonly number[], other: readonly number[], dimensions: number): number =>
  frechetDistance(
    fitGaussian(Float32Array.from(one), dimensions),
    fitGaussian(Float32Array.from(other), dimensions),
  );

interface Fixture {
  readonly dimensions: number;
  readonly cases: readonly { name: string; one: number[]; other: number[]; distance: number }[];
}

describe("Wilson's interval", () => {
  it('is that of Newcombe 1998, table I', () => {
    const published: readonly [number, number, number, number][] = [
      [81, 263, 0.2553, 0.3662],
      [15, 148, 0.0624, 0.1605],
      [0, 20, 0, 0.1611],
      [1, 29, 0.0061, 0.1718],
    ];
    for (const [successes, trials, low, high] of published) {
      const interval = wilsonInterval(successes, trials);
      close(interval[0], low, 5e-5);
      close(interval[1], high, 5e-5);
    }
  });

  it('is the same from the other side, and within 0 and 1', () => {
    assert.equal(wilsonInterval(20, 20)[1], 1);
    close(wilsonInterval(20, 20)[0], 1 - 0.1611, 5e-5);
    assert.throws(() => wilsonInterval(0, 0), RangeError);
    assert.throws(() => wilsonInterval(3, 2), RangeError);
  });
});

describe('a Gaussian', () => {
  it('has the mean and the covariance over count - 1, by hand', () => {
    const { mean, covariance } = fitGaussian(Float32Array.of(1, 2, 3, 6, 5, 1), 2);
    assert.deepEqual([...mean], [3, 3]);
    assert.deepEqual(covariance.to2DArray(), [
      [4, -1],
      [-1, 7],
    ]);
  });

  it('counts a point as often as it is drawn', () => {
    const repeated = fitGaussian(Float32Array.of(1, 2, 1, 2, 5, 1), 2);
    const weighted = fitGaussian(Float32Array.of(1, 2, 3, 6, 5, 1), 2, Uint32Array.of(2, 0, 1));
    for (const i of [0, 1]) close(weighted.mean[i], repeated.mean[i], 1e-12);
    for (const [i, value] of repeated.covariance.to1DArray().entries())
      close(weighted.covariance.to1DArray()[i], value, 1e-12);
  });

  it('needs two points', () => {
    assert.throws(() => fitGaussian(Float32Array.of(1, 2), 2), RangeError);
    assert.throws(() => fitGaussian(Float32Array.of(1, 2, 3), 2), RangeError);
  });
});

describe('the Fréchet distance', () => {
  it('in one dimension is that of the means and that of the deviations, by hand', () => {
    // Means 1 and 5, deviations √2 and 2√2: 16 + 2.
    close(between([0, 2], [3, 7], 1), 18, 1e-9);
  });

  it("is scipy's, also where there are fewer points than dimensions", () => {
    const file = new URL('../../test/fixtures/frechet/frechet.json', import.meta.url);
    const { dimensions, cases } = JSON.parse(readFileSync(file, 'utf8')) as Fixture;
    assert.equal(cases.length, 3);
    // scipy takes the root of a product that may have none, and is the less exact of the two.
    for (const { name, one, other, distance } of cases) {
      const tolerance = (name === 'few' ? 1e-5 : 1e-9) * distance;
      close(between(one, other, dimensions), distance, tolerance);
      close(between(other, one, dimensions), distance, tolerance);
    }
  });

  it('is 0 from the same points', () => {
    const points = fillNormal(new Float32Array(60 * 8), randomStream(0, 'points'));
    close(between([...points], [...points], 8), 0, 1e-9);
  });
});

describe('the bootstrap interval', () => {
  const draw = (count: number, seed: number): Float32Array =>
    fillNormal(new Float32Array(count), randomStream(seed, 'numbers'));
  const interval = (numbers: Float32Array, seed: number): readonly [number, number] => {
    const mean = (times: Uint32Array): number =>
      10 + numbers.reduce((sum, value, i) => sum + times[i] * value, 0) / numbers.length;
    const once = new Uint32Array(numbers.length).fill(1);
    return bootstrapInterval(mean(once), [numbers.length], ([times]) => mean(times), seed);
  };

  it('of a mean is as wide as the textbook has it', () => {
    const [low, high] = interval(draw(400, 1), 0);
    // 2 x 1.96 / √400, and 10 % for fifty resamples, three times over.
    close(high - low, 0.196, 0.196 * 0.3);
  });

  it('of a mean holds it in about 95 of 100 cases', () => {
    const held = Array.from({ length: 100 }, (_, seed) => interval(draw(50, seed), seed)).filter(
      ([low, high]) => low <= 10 && 10 <= high,
    );
    // Some 94 are expected, with a deviation of 2.4: of fifty numbers and fifty resamples the deviation is not exact.
    assert.ok(held.length >= 86, `${held.length} of 100`);
  });

  it('is the same for the same seed, and never below 0', () => {
    const numbers = draw(20, 3);
    assert.deepEqual(interval(numbers, 5), interval(numbers, 5));
    assert.notDeepEqual(interval(numbers, 5), interval(numbers, 6));
    assert.equal(bootstrapInterval(0, [9], ([times]) => times[0], 0)[0], 0);
  });
});

describe('nearest neighbours', () => {
  it('are found by distance, nearest first', () => {
    const nearest = new Nearest(2);
    for (const [index, distance] of [5, 3, 9, 1, 4].entries()) nearest.offer(index, distance);
    assert.deepEqual(nearest.found, [
      { index: 3, distance: 1 },
      { index: 1, distance: 3 },
    ]);
  });

  it('of each point by hand', () => {
    const found = nearestOfEach(Float32Array.of(0, 0, 5, 5), Float32Array.of(4, 4, 0, 1, 9, 9), 2);
    assert.deepEqual(found, [
      { index: 1, distance: 1 },
      { index: 0, distance: 2 },
    ]);
  });
});
