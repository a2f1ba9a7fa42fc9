import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DRAWS, shardDraws } from '../src/model/augment-draws.js';
import type { Phase } from '../src/model/phase.js';

const COUNT = 4000;

function drawn(seed: number, phase: Phase, step: number, shard: number, size = 64): Float32Array {
  return shardDraws(seed, { phase, batch: step, shard }, size, new Float32Array(COUNT * DRAWS.length));
}

function column(values: Float32Array, name: (typeof DRAWS)[number]): number[] {
  const index = DRAWS.indexOf(name);
  return Array.from({ length: COUNT }, (_, image) => values[image * DRAWS.length + index]);
}

describe('the draws of an augmentation', () => {
  it('have the ranges of DiffAugment at 64 pixels, and are even over them', () => {
    const values = drawn(1, 'discriminator', 1, 0);
    for (const [name, least, most, isWhole] of [
      ['brightness', -0.5, 0.5, false],
      ['saturation', 0, 2, false],
      ['contrast', 0.5, 1.5, false],
      ['shiftRows', -8, 8, true],
      ['shiftColumns', -8, 8, true],
      ['cutoutRow', 0, 64, true],
      ['cutoutColumn', 0, 64, true],
    ] as const) {
      const numbers = column(values, name);
      assert.ok(
        numbers.every((value) => value >= least && value <= most),
        name,
      );
      assert.equal(numbers.every(Number.isInteger), isWhole, name);
      if (isWhole) assert.equal(new Set(numbers).size, most - least + 1, name);
      // Four deviations of the mean of so many numbers from an even distribution.
      const deviation = (most - least + (isWhole ? 1 : 0)) / Math.sqrt(12 * COUNT);
      const mean = numbers.reduce((sum, value) => sum + value, 0) / COUNT;
      assert.ok(Math.abs(mean - (least + most) / 2) < 4 * deviation, `${name}: mean ${mean}`);
    }
    assert.ok(Math.max(...column(drawn(1, 'generator', 1, 0, 32), 'shiftRows')) === 4);
    assert.ok(Math.max(...column(drawn(1, 'generator', 1, 0, 32), 'cutoutRow')) === 32);
  });

  it('depend on seed, phase, step and shard alone', () => {
    const reference = drawn(1, 'discriminator', 1, 0);
    assert.deepEqual(drawn(1, 'discriminator', 1, 0), reference);
    for (const other of [
      drawn(2, 'discriminator', 1, 0),
      drawn(1, 'generator', 1, 0),
      drawn(1, 'discriminator', 2, 0),
      drawn(1, 'discriminator', 1, 1),
    ])
      assert.notDeepEqual(other, reference);
  });
});
