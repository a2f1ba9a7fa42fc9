import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';
import { SUMMATIONS, sumsOf, type Summation } from '../src/averaging/order-of-sums.js';
import { PART_FLOATS } from '../src/averaging/summing-memory.js';
import { cutVector } from '../src/averaging/vector-cuts.js';
import { fillNormal, permutation, randomStream } from '../src/common/random.js';
import { euclideanNorm } from '../src/model/gradient-norm.js';
import { averageAmongPlaces, normAmong, type NetworkOptions } from './support/averaging-network.js';
import { bfloat16, floatOf } from './support/bfloat16.js';

/** The most that rounding to bfloat16 changes, as a part of a number. */
const UNIT = 2 ** -8;

describe('a vector of a run that rounds', () => {
  it('is cut where its gradient ends, but for what is left over of sixteen', () => {
    const cuts = cutVector({ length: 100, gradientEnd: 90, wire: 'bf16' }, { fp32: 48, bf16: 48 });
    assert.deepEqual(cuts, [
      { part: 0, offset: 0, length: 48, format: 'bf16', bytes: 96 },
      { part: 1, offset: 48, length: 32, format: 'bf16', bytes: 64 },
      { part: 2, offset: 80, length: 20, format: 'fp32', bytes: 80 },
    ]);
  });

  it('is cut finer where many share its sums, but not too fine', () => {
    const numbers = (length: number, shards: number): number[] =>
      cutVector({ length, gradientEnd: length, shards }).map((cut) => cut.length);
    assert.deepEqual(numbers(8 * PART_FLOATS, 8), new Array<number>(8).fill(PART_FLOATS));
    assert.deepEqual(numbers(2 * PART_FLOATS, 8), new Array<number>(8).fill(PART_FLOATS / 4));
    assert.deepEqual(numbers(PART_FLOATS, 1000), new Array<number>(16).fill(PART_FLOATS / 16));
  });

  it('is cut as ever where the run does not round, and everywhere without a gap', () => {
    const length = 2 * PART_FLOATS + 5;
    const places = (wire?: 'fp32' | 'bf16', gradientEnd = length - 3): number[][] =>
      cutVector({ length, gradientEnd, wire }).map((cut) => [cut.offset, cut.length, cut.bytes]);
    const plain = [
      [0, PART_FLOATS, 4 * PART_FLOATS],
      [PART_FLOATS, PART_FLOATS, 4 * PART_FLOATS],
      [2 * PART_FLOATS, 5, 20],
    ];
    assert.deepEqual(places(), plain);
    assert.deepEqual(places('fp32'), plain);
    for (const gradientEnd of [0, 1, 16, PART_FLOATS, 2 * PART_FLOATS, PART_FLOATS + 17, length]) {
      let end = 0;
      for (const [offset, size] of places('bf16', gradientEnd)) {
        assert.equal(offset, end);
        assert.ok(size > 0 && size <= 2 * PART_FLOATS);
        end += size;
      }
      assert.equal(end, length);
    }
  });
});

describe('a mean that is rounded to bfloat16', () => {
  for (const summation of SUMMATIONS)
    for (const workers of [1, 2, 3, 4, 5, 6, 7, 8])
      it(`has the bits of its order, ${summation}, with ${workers} places, whoever has which shard`, () => {
        for (let round = 0; round < 15; round++) check(summation, workers, round);
      });

  it('takes half the bytes', () => {
    const vectors = vectorsOf(8, 6400, 2);
    for (const summation of SUMMATIONS) {
      const placeOfShard = [0, 0, 1, 1, 2, 2, 3, 3];
      const sent = (wire: 'fp32' | 'bf16'): number =>
        [
          ...averageAmongPlaces({
            ...{ summation, vectors, placeOfShard, wire, partFloats: 640, gradientEnd: 6400 },
            choose: () => 0,
          }).values(),
        ].reduce((sum, place) => sum + place.sent, 0);
      assert.equal(sent('bf16'), sent('fp32') / 2);
    }
  });

  it('is not finite where a shard is not, or rounding makes it so', () => {
    for (const wrong of [NaN, Infinity, -Infinity, 3.4e38]) {
      const vectors = vectorsOf(3, 100, 4);
      vectors[1][50] = wrong;
      const places = averageAmongPlaces({
        ...{ summation: 'sequential', vectors, placeOfShard: [0, 1, 2], wire: 'bf16' },
        ...{ partFloats: 48, gradientEnd: 90, choose: () => 0 },
      });
      assert.ok(!Number.isFinite(normAmong(places)), String(wrong));
      for (const { mean } of places.values()) assert.ok(!Number.isFinite(mean[50]), String(wrong));
    }
  });
});

/** A random generation, vectors of a random length, random parts and a random order of messages. */
function check(summation: Summation, workers: number, round: number): void {
  const random = randomStream(8, 'bfloat16', summation, workers, round);
  const shards = workers + below(random, 6);
  const length = 1 + below(random, 400);
  const vectors = vectorsOf(shards, length, round);
  // Each place has one shard at least, the others are anybody's.
  const hosts = Array.from({ length: shards }, (_, shard) =>
    shard < workers ? shard : below(random, workers),
  );
  const gradientEnd = below(random, length + 1);
  const common: Omit<NetworkOptions, 'placeOfShard'> = {
    ...{ summation, vectors, gradientEnd, wire: 'bf16', partFloats: 16 * (1 + below(random, 8)) },
    choose: (count: number): number => below(random, count),
  };
  const placeOfShard = [...permutation(shards, random)].map((shard) => hosts[shard]);
  const places = averageAmongPlaces({ ...common, placeOfShard });
  const star = averageAmongPlaces({ ...common, placeOfShard: placeOfShard.map(() => 0) });
  const roundedEnd = gradientEnd - (gradientEnd % 16);
  const expected = meanOf(summation, vectors, roundedEnd);
  for (const { mean, complete } of [...places.values(), ...star.values()]) {
    assert.ok(complete);
    assert.deepEqual([...mean], [...expected]);
  }
  // Each shard, each sum but the last, and the mean.
  const roundings = shards === 1 ? 2 : shards;
  expected.forEach((value, i) => {
    const exact = vectors.reduce((sum, vector) => sum + vector[i], 0) / shards;
    const size = vectors.reduce((sum, vector) => sum + Math.abs(vector[i]), 0) / shards;
    const error = i < roundedEnd ? (1 + UNIT) ** roundings - 1 : shards * 2 ** -24;
    assert.ok(Math.abs(value - exact) <= error * size, `${value} is not the mean ${exact}`);
  });
  const norm = euclideanNorm(expected.subarray(0, gradientEnd));
  assert.ok(Math.abs(normAmong(places) - norm) <= 1e-12 * norm);
}

/** The mean in this order: what is before `roundedEnd` with every operand rounded to bfloat16, and the mean. */
function meanOf(summation: Summation, vectors: readonly Float32Array[], roundedEnd: number): Float32Array {
  const rounded = (values: Float32Array): Float32Array =>
    values.map((value, i) => (i < roundedEnd ? floatOf(bfloat16(value)) : value));
  const operands = vectors.map(rounded);
  const sums = sumsOf(summation, vectors.length);
  for (const [index, { left, right }] of sums.entries()) {
    const sum = operands[left].map((value, i) => Math.fround(value + operands[right][i]));
    operands.push(index + 1 < sums.length ? rounded(sum) : sum);
  }
  const total = operands[operands.length - 1];
  return rounded(total.map((value) => Math.fround(value / vectors.length)));
}

function vectorsOf(shards: number, length: number, stream: number): Float32Array[] {
  return Array.from({ length: shards }, (_, shard) =>
    fillNormal(new Float32Array(length), randomStream(5, 'vector', stream, shard)),
  );
}

function below(random: RandomGenerator, limit: number): number {
  return uniformInt(random, 0, limit - 1);
}
