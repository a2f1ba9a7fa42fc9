import { describe, it } from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import { compareWithCpu, normal } from './support/engine/compare-with-cpu.js';
import { startEngine } from './support/engine/start-engine.js';

await startEngine('wasm');

/** [rows, depth, columns] */
const SHAPES: [number, number, number][] = [
  [1, 1, 1],
  [1, 5, 3],
  [4, 4, 8],
  [7, 1, 9],
  [3, 100, 64],
  [5, 3, 17],
  // Beyond a block of 128 rows and of 256 in depth.
  [130, 258, 12],
  [129, 515, 1],
];

describe('matMul on wasm', () => {
  for (const [rows, depth, columns] of SHAPES)
    for (const transposeA of [false, true])
      for (const transposeB of [false, true])
        it(`is the CPU's: ${rows} x ${depth} x ${columns}${transposeA ? ', left transposed' : ''}${transposeB ? ', right transposed' : ''}`, async (test) => {
          await compareWithCpu(test, () => {
            const left = normal('left', transposeA ? [depth, rows] : [rows, depth]);
            const right = normal('right', transposeB ? [columns, depth] : [depth, columns]);
            return { product: tf.matMul(left, right, transposeA, transposeB) };
          });
        });

  it('leaves batches of matrices to the stock kernel', async (test) => {
    await compareWithCpu(test, () => {
      const [left, right] = [normal<tf.Rank.R3>('left', [2, 3, 4]), normal<tf.Rank.R3>('right', [2, 5, 4])];
      return { product: tf.matMul(left, right, false, true) };
    });
  });
});

describe('split on wasm', () => {
  it("is the CPU's for a flat vector", async (test) => {
    await compareWithCpu(test, () => {
      const [first, second, third] = tf.split(normal<tf.Rank.R1>('vector', [10]), [3, 1, 6]);
      return { first, second, third };
    });
  });

  it('leaves matrices to the stock kernel', async (test) => {
    await compareWithCpu(test, () => {
      const [first, second] = tf.split(normal<tf.Rank.R2>('matrix', [3, 6]), 2, 1);
      return { first, second };
    });
  });
});
