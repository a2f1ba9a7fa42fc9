import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import { Heap } from '../src/engine/wasm/heap.js';
import { EagerReplica } from '../src/model/eager-replica.js';
import { modelLayout } from '../src/model/layout.js';
import { shardNoise } from '../src/model/noise.js';
import { initialState, stateLayout } from '../src/model/state.js';
import { compareWithCpu, normal } from './support/engine/compare-with-cpu.js';
import { startEngine } from './support/engine/start-engine.js';
import { OPTIMIZER, randomImages, SMALL_MODEL } from './support/small-model.js';

await startEngine('wasm');

const BATCH = 4;
/** Bytes, of the 4 GiB that the heap can have: three of these never fit. */
const ALMOST_HALF = 2 ** 31 - 2 ** 16;
/** Bytes, less than any tensor of the test that uses it. */
const SMALL = 256;

describe('the heap of the wasm engine', () => {
  const heap = new Heap(tf.backend() as BackendWasm);

  it('grows no further once a step has been made', () => {
    const layout = modelLayout(SMALL_MODEL);
    const replica = new EagerReplica(SMALL_MODEL, OPTIMIZER);
    replica.restore(initialState(layout, 1, new Float32Array(stateLayout(layout).length)));
    const images = randomImages(SMALL_MODEL, BATCH);
    const train = (step: number): void => {
      const noise = shardNoise(1, step, 0, new Float32Array(BATCH * SMALL_MODEL.latentSize));
      replica.train('discriminator', step, images, noise);
      replica.train('generator', step, undefined, noise);
    };
    train(1);
    const before = heap.memory.buffer.byteLength;
    for (let step = 2; step <= 30; step++) train(step);
    assert.equal(heap.memory.buffer.byteLength, before);
    replica.dispose();
  });

  it('keeps shared numbers until the last tensor of them is gone', () => {
    const original = tf.tensor1d([1, 2, 3]);
    const clone = tf.clone(original);
    original.dispose();
    assert.deepEqual([...clone.dataSync()], [1, 2, 3]);
    clone.dispose();
    assert.equal(tf.memory().numDataBuffers, 0);
  });

  it('computes above 2 GiB, where addresses are negative numbers to WebAssembly', async (test) => {
    // Not given back, and neither are the small ones, which fill the gaps below. The system gives memory only for what
    // is written to.
    heap.allocate(ALMOST_HALF);
    while (heap.allocate(SMALL) < 2 ** 31);
    await compareWithCpu(test, () => {
      const images = normal<tf.Rank.R4>('images', [2, 8, 8, 3]);
      const convolve = (filter: tf.Tensor): tf.Tensor => tf.conv2d(images, filter as tf.Tensor4D, 2, 'same');
      const filter = normal<tf.Rank.R4>('filter', [4, 4, 3, 5]);
      const output = convolve(filter);
      return { output, forFilter: tf.grad(convolve)(filter, output), leaky: tf.leakyRelu(output, 0.2) };
    });
  });

  it('says so when it is full', () => {
    assert.throws(() => {
      for (let i = 0; i < 3; i++) heap.allocate(ALMOST_HALF);
    }, /no room for 2147418112 bytes/);
  });
});
