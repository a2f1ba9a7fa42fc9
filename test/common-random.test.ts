import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fillNormal, permutation, randomStream } from '../src/common/random.js';
import { moments } from './support/moments.js';

describe('a random stream', () => {
  // These numbers were computed in Python, from the digest on: SHA-256 of '[0,"noise",1,0]', xoroshiro128+ with the
  // rotations 24, 16 and 37, Box and Muller's transform. Were they to change, no run could be repeated.
  it('gives the numbers that it has always given', () => {
    const stream = randomStream(0, 'noise', 1, 0);
    const words = Array.from({ length: 4 }, () => stream.next() >>> 0);
    assert.deepEqual(words, [1365001341, 1352011662, 1418384336, 354009651]);
  });

  it('makes normal numbers that it has always made', () => {
    const values = fillNormal(new Float32Array(5), randomStream(0, 'noise', 1, 0));
    const expected = [
      0.6005042397541756, 0.6861077123523504, -0.39154585377556866, 0.13877704177701414, -0.6066025583512554,
    ];
    assert.deepEqual(values, Float32Array.from(expected));
  });

  it('makes permutations that it has always made', () => {
    assert.deepEqual([...permutation(10, randomStream(7, 'epoch', 1))], [1, 4, 2, 9, 3, 8, 7, 5, 0, 6]);
  });

  it('is another one for another seed, another name, or names cut otherwise', () => {
    const streams = [
      randomStream(0, 'noise', 1, 2),
      randomStream(1, 'noise', 1, 2),
      randomStream(0, 'samples', 1, 2),
      randomStream(0, 'noise', 2, 1),
      randomStream(0, 'noise', 12),
      randomStream(0, 'noise', '1', 2),
      randomStream(0, 'noise', 1, 2, 0),
    ];
    assert.equal(new Set(streams.map((stream) => stream.next())).size, streams.length);
  });
});

describe('normal numbers', () => {
  const COUNT = 100_000;

  it('have the moments of the distribution they are drawn from', () => {
    const { mean, deviation, skewness, kurtosis } = moments(
      fillNormal(new Float32Array(COUNT), randomStream(1, 'moments'), 3, 0.5),
    );
    // Within five deviations of each estimate.
    assert.ok(Math.abs(mean - 3) < (5 * 0.5) / Math.sqrt(COUNT), `mean ${mean}`);
    assert.ok(Math.abs(deviation / 0.5 - 1) < 5 / Math.sqrt(2 * COUNT), `deviation ${deviation}`);
    assert.ok(Math.abs(skewness) < 5 * Math.sqrt(6 / COUNT), `skewness ${skewness}`);
    assert.ok(Math.abs(kurtosis - 3) < 5 * Math.sqrt(24 / COUNT), `kurtosis ${kurtosis}`);
  });

  it('do not depend on how many follow', () => {
    const few = fillNormal(new Float32Array(7), randomStream(1, 'prefix'));
    const many = fillNormal(new Float32Array(20), randomStream(1, 'prefix'));
    assert.deepEqual(few, many.slice(0, 7));
  });
});

describe('a permutation', () => {
  it('holds each index once', () => {
    const order = permutation(1000, randomStream(1, 'each'));
    assert.deepEqual(
      order.toSorted(),
      Uint32Array.from({ length: 1000 }, (_, index) => index),
    );
    assert.equal(permutation(0, randomStream(1, 'none')).length, 0);
  });

  it('is any of the six of three things equally often', () => {
    const DRAWS = 6000;
    const stream = randomStream(1, 'six');
    const seen = new Map<string, number>();
    for (let draw = 0; draw < DRAWS; draw++) {
      const order = permutation(3, stream).join('');
      seen.set(order, (seen.get(order) ?? 0) + 1);
    }
    const expected = DRAWS / 6;
    const chiSquare = [...seen.values()].reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
    // 20.5 is exceeded once in a thousand, with five degrees of freedom.
    assert.ok(seen.size === 6 && chiSquare < 20.5, `chi square ${chiSquare}`);
  });
});
