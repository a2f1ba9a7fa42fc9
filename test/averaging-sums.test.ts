import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SUMMATIONS, sumsOf, type Summation } from '../src/averaging/order-of-sums.js';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';
import { fillNormal, permutation, randomStream } from '../src/common/random.js';
import { euclideanNorm } from '../src/model/gradient-norm.js';
import { averageAmongPlaces, normAmong, type NetworkOptions } from './support/averaging-network.js';

describe('the order of sums', () => {
  it('is one after the other, or in pairs', () => {
    assert.equal(written('sequential', 4), '(((0+1)+2)+3)');
    assert.equal(written('pairwise', 4), '((0+1)+(2+3))');
    assert.equal(written('pairwise', 7), '(((0+1)+(2+3))+((4+5)+6))');
    for (const summation of SUMMATIONS) {
      assert.equal(written(summation, 1), '0');
      assert.equal(written(summation, 2), '(0+1)');
    }
  });
});

describe('a mean among places', () => {
  it('would have other bits in the other order: the tests below could fail', () => {
    const vectors = vectorsOf(4, 100, 1);
    assert.notDeepEqual(meanOf('sequential', vectors), meanOf('pairwise', vectors));
  });

  for (const summation of SUMMATIONS)
    for (const workers of [1, 2, 3, 4, 5, 8])
      it(`has the bits of its order, ${summation}, with ${workers} places, whoever has which shard`, () => {
        for (let round = 0; round < 25; round++) check(summation, workers, round);
      });

  it('moves as little as the order allows where each place has neighbouring shards', () => {
    const vectors = vectorsOf(8, 64, 2);
    for (const summation of SUMMATIONS) {
      const placeOfShard = [0, 0, 1, 1, 2, 2, 3, 3];
      const places = averageAmongPlaces({ ...common(summation, vectors, 3), placeOfShard });
      const sent = [...places.values()].map(({ sent }) => sent / 256);
      // Three partial sums and three means among four places.
      assert.equal(
        sent.reduce((sum, each) => sum + each),
        6,
      );
      assert.ok(Math.max(...sent) <= 2, `${summation}: ${sent.join()}`);
    }
  });

  it('is made by all alike where each place has one shard', () => {
    for (const [summation, partners] of [
      ['sequential', 7],
      ['pairwise', 3],
    ] as const) {
      const vectors = vectorsOf(8, 16 * 64, 2);
      const places = averageAmongPlaces({
        ...common(summation, vectors, 3),
        placeOfShard: [0, 1, 2, 3, 4, 5, 6, 7],
      });
      for (const { sent, plans } of places.values()) {
        // Reduce-scatter and all-gather: seven eighths of a vector each.
        assert.equal(sent / (4 * 16 * 64), 2 * (7 / 8), summation);
        assert.equal(plans.neighbours(64).length, partners);
      }
    }
  });

  it('has a norm that is not finite where one element of the gradient is not', () => {
    for (const wrong of [NaN, Infinity, 3e38])
      for (const at of [0, 50, 89]) {
        const vectors = vectorsOf(3, 100, 4);
        vectors[0][at] = wrong;
        vectors[1][at] = wrong;
        const places = averageAmongPlaces({ ...common('sequential', vectors, 5), placeOfShard: [0, 1, 2] });
        assert.ok(!Number.isFinite(normAmong(places)), `${wrong} at ${at}`);
      }
  });

  it('of one shard is that shard, bit for bit', () => {
    const only = Float32Array.of(0, -0, 1e-45, -3e38, Infinity, 0.1);
    const places = averageAmongPlaces({
      ...common('sequential', [only], 6),
      ...{ placeOfShard: [0], gradientEnd: 4 },
    });
    assert.deepEqual([...(places.get(0)?.mean ?? [])].map(bits), [...only].map(bits));
    assert.ok(Number.isFinite(normAmong(places)), 'what is not of the gradient does not count');
  });
});

/** A random generation, vectors of a random length, random parts and a random order of messages. */
function check(summation: Summation, workers: number, round: number): void {
  const random = randomStream(8, summation, workers, round);
  const shards = workers + below(random, 6);
  const length = 1 + below(random, 400);
  const vectors = vectorsOf(shards, length, round);
  // Each place has one shard at least, the others are anybody's.
  const hosts = Array.from({ length: shards }, (_, shard) =>
    shard < workers ? shard : below(random, workers),
  );
  const placeOfShard = [...permutation(shards, random)].map((shard) => hosts[shard]);
  const gradientEnd = below(random, length + 1);
  const partFloats = 4 * (1 + below(random, 30));
  const choose = (count: number): number => below(random, count);
  const places = averageAmongPlaces({ summation, placeOfShard, vectors, partFloats, gradientEnd, choose });
  const expected = meanOf(summation, vectors);
  for (const { mean, complete } of places.values()) {
    assert.ok(complete);
    assert.deepEqual([...mean], [...expected]);
  }
  expected.forEach((value, i) => {
    const exact = vectors.reduce((sum, vector) => sum + vector[i], 0) / shards;
    const size = vectors.reduce((sum, vector) => sum + Math.abs(vector[i]), 0) / shards;
    assert.ok(Math.abs(value - exact) <= shards * 2 ** -24 * size, `${value} is not the mean ${exact}`);
  });
  const norm = euclideanNorm(expected.subarray(0, gradientEnd));
  assert.ok(Math.abs(normAmong(places) - norm) <= 1e-12 * norm);
}

function common(
  summation: Summation,
  vectors: readonly Float32Array[],
  stream: number,
): Omit<NetworkOptions, 'placeOfShard'> {
  const random = randomStream(9, 'order', stream);
  const choose = (count: number): number => below(random, count);
  return { summation, vectors, partFloats: 16, gradientEnd: 90, choose };
}

/** The mean with every addition rounded to float32, in this order. */
function meanOf(summation: Summation, vectors: readonly Float32Array[]): Float32Array {
  const operands = [...vectors];
  for (const { left, right } of sumsOf(summation, vectors.length))
    operands.push(operands[left].map((value, i) => Math.fround(value + operands[right][i])));
  return (operands.at(-1) ?? vectors[0]).map((value) => Math.fround(value / vectors.length));
}

function written(summation: Summation, shards: number): string {
  const operands = Array.from({ length: shards }, (_, shard) => String(shard));
  for (const { left, right } of sumsOf(summation, shards))
    operands.push(`(${operands[left]}+${operands[right]})`);
  return operands.at(-1) ?? '';
}

function vectorsOf(shards: number, length: number, stream: number): Float32Array[] {
  return Array.from({ length: shards }, (_, shard) =>
    fillNormal(new Float32Array(length), randomStream(5, 'vector', stream, shard)),
  );
}

function below(random: RandomGenerator, limit: number): number {
  return uniformInt(random, 0, limit - 1);
}

function bits(value: number): number {
  return new Uint32Array(Float32Array.of(value).buffer)[0];
}
