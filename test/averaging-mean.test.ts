import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MeanOfVectors } from '../src/averaging/mean-of-vectors.js';
import { SummingMemory } from '../src/averaging/summing-memory.js';
import { fillNormal, randomStream } from '../src/common/random.js';

const LENGTH = 1000;

/** Of magnitudes so different that the order of a sum shows in it. */
function vectors(count: number): Float32Array[] {
  return Array.from({ length: count }, (_, index) =>
    fillNormal(new Float32Array(LENGTH), randomStream(3, 'vector', index)).map(
      (value, i) => value * 2 ** ((i % 40) - 20 + (index % 3)),
    ),
  );
}

describe('the mean of vectors that come one after the other', () => {
  for (const count of [3, 7])
    it(`of ${count} has the bits of the kernels that add in float32, in order`, () => {
      const all = vectors(count);
      const memory = new SummingMemory();
      const expected = memory.allocate(LENGTH);
      expected.set(all[0]);
      for (const vector of all.slice(1, -1)) memory.add(expected, expected, vector);
      memory.mean(expected, expected, all[count - 1], count, 0);

      const [first] = all;
      assert.equal(meanOf(all), first, 'it was not made in the place of the first one');
      assert.deepEqual([...first], [...expected]);
      assert.notDeepEqual(
        [...meanOf(vectors(count).reverse())],
        [...expected],
        'no order shows in these vectors',
      );
    });

  it('is a lone vector as it is', () => {
    const vector = Float32Array.of(1, -0, NaN, Infinity);
    assert.equal(meanOf([vector]), vector);
    assert.deepEqual([...vector], [1, -0, NaN, Infinity]);
    assert.throws(() => new MeanOfVectors().take(), /nothing/);
  });
});

function meanOf(all: readonly Float32Array[]): Float32Array {
  const mean = new MeanOfVectors();
  for (const vector of all) mean.add(vector);
  return mean.take();
}
