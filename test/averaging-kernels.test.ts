import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fillNormal, randomStream } from '../src/common/random.js';
import { PART_FLOATS, SummingMemory } from '../src/averaging/summing-memory.js';

describe('the kernels of sums', () => {
  for (const length of [1, 3, 4, 5, 1023, PART_FLOATS - 1, PART_FLOATS])
    it(`add ${length} floats as Math.fround does`, () => {
      const memory = new SummingMemory(length);
      const into = memory.allocate(length);
      const behind = memory.allocate(4).fill(7);
      const [left, right] = [normalFloats(length, 1), normalFloats(length, 2)];
      memory.add(into, left, right);
      assert.deepEqual(into, shared(left.map((value, i) => Math.fround(value + right[i]))));
      assert.deepEqual([...behind], [7, 7, 7, 7]);
    });

  for (const [length, counted] of [
    [1, 1],
    [7, 0],
    [7, 3],
    [1022, 1022],
    [1024, 1001],
  ])
    it(`make the mean of ${length} floats, and count ${counted} of them`, () => {
      const memory = new SummingMemory();
      const into = memory.allocate(length);
      const [left, right] = [normalFloats(length, 1), normalFloats(length, 2)];
      const squares = memory.mean(into, left, right, 3, counted);
      const expected = left.map((value, i) => Math.fround(Math.fround(value + right[i]) / 3));
      assert.deepEqual(into, shared(expected));
      const exact = expected.subarray(0, counted).reduce((sum, value) => sum + value * value, 0);
      assert.ok(Math.abs(squares - exact) <= 1e-12 * exact, `${squares} instead of ${exact}`);
    });

  it('count what is not finite, and only where they are told to', () => {
    const memory = new SummingMemory();
    const into = memory.allocate(8);
    const ones = new Float32Array(8).fill(1);
    for (const bad of [NaN, Infinity, -Infinity])
      for (const at of [0, 3, 4, 5]) {
        const left = new Float32Array(8).fill(1);
        left[at] = bad;
        assert.ok(!Number.isFinite(memory.mean(into, left, ones, 2, 6)), `${bad} at ${at}`);
      }
    const left = new Float32Array(8).fill(1);
    left[6] = NaN;
    assert.equal(memory.mean(into, left, ones, 2, 6), 6);
  });

  it('keep what was given out when the memory grows', () => {
    const memory = new SummingMemory();
    const first = memory.allocate(10).fill(2);
    const second = memory.allocate(10_000_000);
    memory.add(second.subarray(0, 10), first, first);
    assert.deepEqual([...second.subarray(0, 10)], new Array(10).fill(4));
    memory.add(first, second.subarray(0, 10), first);
    assert.deepEqual([...first], new Array(10).fill(6));
  });
});

function shared(values: Float32Array): Float32Array {
  const array = new Float32Array(new SharedArrayBuffer(values.byteLength));
  array.set(values);
  return array;
}

function normalFloats(length: number, stream: number): Float32Array {
  return fillNormal(new Float32Array(length), randomStream(7, 'floats', stream));
}
