import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fillNormal, permutation, randomStream } from '../src/common/random.js';
import { euclideanNorm } from '../src/model/gradient-norm.js';
import { ShardSum } from '../src/model/shard-sum.js';

const SHARDS = 5;
const LENGTH = 300;
/** The gradient ends within the last part. */
const GRADIENT = 290;
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
    const norms = new Set<number>();
    for (let round = 0; round < 200; round++) {
      const into = new Float32Array(LENGTH).fill(NaN);
      const sum = new ShardSum(SHARDS, into, GRADIENT);
      const lacking = new Map<number, number>(PARTS.map((offset) => [offset, SHARDS]));
      for (const index of permutation(all.length, randomStream(6, 'arrival', round))) {
        assert.equal(sum.complete, false);
        const { shard, offset } = all[index];
        lacking.set(offset, (lacking.get(offset) ?? 0) - 1);
        const whole = sum.add(shard, offset, part(shard, offset));
        assert.equal(whole, lacking.get(offset) === 0);
        // What is whole can be sent: it is the mean already.
        if (whole)
          assert.deepEqual(into.subarray(offset, offset + 128), expected.subarray(offset, offset + 128));
      }
      assert.equal(sum.complete, true);
      assert.equal(sum.mean(), into);
      assert.deepEqual(into, expected);
      norms.add(sum.gradientNorm());
    }
    const [norm] = norms;
    assert.equal(norms.size, 1, 'nor does the norm depend on it');
    const reference = euclideanNorm(expected.subarray(0, GRADIENT));
    assert.ok(Math.abs(norm / reference - 1) < 1e-12, `${norm} is not ${reference}`);
  });

  it('of one shard is that shard, bit for bit, whatever lay in the array before', () => {
    const only = Float32Array.of(0, -0, 1e-45, -3e38, Infinity, 0.1);
    const into = new Float32Array(6).fill(NaN);
    const sum = new ShardSum(1, into, 4);
    assert.equal(sum.add(0, 0, only), true);
    assert.deepEqual(new Uint32Array(into.buffer), new Uint32Array(only.buffer));
    assert.ok(Number.isFinite(sum.gradientNorm()), 'what is not of the gradient does not count');
  });

  it('has a norm that is not finite where one element of the gradient is not', () => {
    for (const wrong of [NaN, Infinity, 3e38]) {
      for (const at of [0, 127, 128, 289]) {
        const sum = new ShardSum(2, new Float32Array(LENGTH), GRADIENT);
        for (const shard of [1, 0])
          for (const offset of PARTS) {
            const values = part(shard, offset).slice();
            if (offset <= at && at < offset + 128) values[at - offset] = wrong;
            sum.add(shard, offset, values);
          }
        assert.ok(!Number.isFinite(sum.gradientNorm()), `${wrong} at ${at}`);
      }
    }
  });

  it('is no mean before everything is in it', () => {
    const sum = new ShardSum(2, new Float32Array(4), 4);
    sum.add(1, 0, Float32Array.of(1, 2, 3, 4));
    sum.add(0, 0, Float32Array.of(1, 2, 3));
    assert.throws(() => sum.mean(), /every part of every shard/);
    assert.throws(() => sum.gradientNorm(), /every part of every shard/);
  });
});
