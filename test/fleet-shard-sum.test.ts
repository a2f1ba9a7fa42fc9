import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fillNormal, permutation, randomStream } from '../src/common/random.js';
import { ShardSum } from '../src/model/shard-sum.js';

const SHARDS = 5;
const LENGTH = 300;
/** A vector's parts, the last one shorter. */
const PARTS = [0, 128, 256] as const;

const vectors = Array.from({ length: SHARDS }, (_, shard) =>
  fillNormal(new Float32Array(LENGTH), randomStream(5, 'vector', shard)),
);

/** The mean with every addition rounded to float32, in this order. */
function meanInOrder(order: readonly number[]): Float32Array {
  return Float32Array.from({ length: LENGTH }, (_, i) => {
    const sum = order
      .slice(1)
      .reduce((sum, shard) => Math.fround(sum + vectors[shard][i]), vectors[order[0]][i]);
    return sum / SHARDS;
  });
}

function part(shard: number, offset: number): Float32Array {
  return vectors[shard].subarray(offset, offset + 128);
}

describe('the sum over shards', () => {
  const expected = meanInOrder([0, 1, 2, 3, 4]);

  it('would have other bits in another order: the tests below could fail', () => {
    assert.notDeepEqual(meanInOrder([4, 3, 2, 1, 0]), expected);
    assert.notDeepEqual(meanInOrder([0, 1, 2, 4, 3]), expected);
  });

  it('has the bits of the order of the shards, however their parts come in', () => {
    const all = Array.from({ length: SHARDS }, (_, shard) =>
      PARTS.map((offset) => ({ shard, offset })),
    ).flat();
    for (let round = 0; round < 200; round++) {
      const into = new Float32Array(LENGTH).fill(NaN);
      const sum = new ShardSum(SHARDS, into);
      for (const index of permutation(all.length, randomStream(6, 'arrival', round))) {
        assert.equal(sum.complete, false);
        const { shard, offset } = all[index];
        sum.add(shard, offset, part(shard, offset));
      }
      assert.equal(sum.complete, true);
      assert.equal(sum.mean(), into);
      assert.deepEqual(into, expected);
    }
  });

  it('keeps what came early, although its buffer is used again', () => {
    const into = new Float32Array(LENGTH);
    const sum = new ShardSum(SHARDS, into);
    const buffer = new Float32Array(LENGTH);
    for (const shard of [4, 2, 3, 1, 0]) {
      buffer.set(vectors[shard]);
      sum.add(shard, 0, buffer);
      buffer.fill(NaN);
    }
    assert.deepEqual(sum.mean(), expected);
  });

  it('is no mean before everything is in it', () => {
    const sum = new ShardSum(2, new Float32Array(4));
    sum.add(1, 0, Float32Array.of(1, 2, 3, 4));
    sum.add(0, 0, Float32Array.of(1, 2, 3));
    assert.throws(() => sum.mean(), /every part of every shard/);
  });
});
