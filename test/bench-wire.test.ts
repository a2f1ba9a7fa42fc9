import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Measured } from '../bench/wire/measure.js';
import { parseOptions } from '../bench/wire/options.js';
import { tableLines } from '../bench/wire/table.js';

const run: Measured = {
  ...{ wire: 'fp32', seed: 0, discriminatorLoss: 0.5, generatorLoss: 2 },
  ...{ faceShare: 0.5, frechetDistance: 3, megabytes: 30.04 },
};

describe('the table of formats on the wire', () => {
  it('has means over the seeds, with least and most', () => {
    const lines = tableLines([
      run,
      { ...run, seed: 1, discriminatorLoss: 1.5, faceShare: 0.25 },
      { ...run, wire: 'bf16', megabytes: 9 },
    ]);
    assert.deepEqual(lines.slice(2), [
      '| `fp32` | 30.0 | 1.000 (0.500 to 1.500) | 2.000 (2.000 to 2.000) | 37.5 % (25.0 to 50.0) | 3.0000 (3.0000 to 3.0000) |',
      '| `bf16` | 9.0 | 0.500 (0.500 to 0.500) | 2.000 (2.000 to 2.000) | 50.0 % (50.0 to 50.0) | 3.0000 (3.0000 to 3.0000) |',
    ]);
  });

  it('is of the runs that are asked for', () => {
    const { seeds, wires, batchSize } = parseOptions(['--seeds', '0,4', '--wires', 'fp32,bf16']);
    assert.deepEqual([seeds, wires, batchSize], [[0, 4], ['fp32', 'bf16'], 64]);
    assert.throws(() => parseOptions(['--wires', 'fp8']), /--wires takes fp32,bf16, not fp8/);
    assert.throws(() => parseOptions(['--steps', '0']), /--steps takes whole numbers of at least 1, not 0/);
  });
});
