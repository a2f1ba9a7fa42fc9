import { describe, it } from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import { LEAKY_RELU_GRADIENT, RELU_GRADIENT, TANH_GRADIENT } from '../src/engine/activation-gradients.js';
import { compareWithCpu, normal } from './support/engine/compare-with-cpu.js';
import { startEngine } from './support/engine/start-engine.js';

await startEngine('wasm');

/** With each remainder of four, which is what one instruction takes. */
const SIZES = [1, 2, 3, 4, 5, 6, 7, 8, 1023];
const SLOPE = 0.2;

describe('activations on wasm', () => {
  for (const size of SIZES)
    it(`are the CPU's, and their gradients, for ${size} numbers`, async (test) => {
      await compareWithCpu(
        test,
        () => {
          const { features, outputGradient, relu, tanh } = inputs(size);
          const run = (kernel: string, given: Record<string, tf.Tensor>, attributes = {}): tf.Tensor =>
            tf.engine().runKernel(kernel, { outputGradient, ...given }, attributes);
          return {
            leakyRelu: tf.leakyRelu(features, SLOPE),
            forLeakyRelu: run(LEAKY_RELU_GRADIENT, { features }, { alpha: SLOPE }),
            forRelu: run(RELU_GRADIENT, { output: relu }),
            forTanh: run(TANH_GRADIENT, { output: tanh }),
          };
        },
        () => {
          const { features, outputGradient, relu, tanh } = inputs(size);
          return {
            leakyRelu: tf.leakyRelu(features, SLOPE),
            forLeakyRelu: tf.where(tf.greater(features, 0), outputGradient, tf.mul(outputGradient, SLOPE)),
            forRelu: tf.mul(outputGradient, tf.step(relu)),
            forTanh: tf.mul(outputGradient, tf.sub(1, tf.square(tanh))),
          };
        },
      );
    });

  it('write nothing past their last number', async (test) => {
    // 5 numbers take 20 bytes, and the kernels move 16 at a time: what follows on the heap must stay.
    await compareWithCpu(test, () => {
      const tensors = Array.from({ length: 8 }, (_, index) => normal<tf.Rank.R1>(`tensor ${index}`, [5]));
      const [first, ...rest] = tensors.map((tensor) => tf.leakyRelu(tensor, SLOPE));
      return { first, ...Object.fromEntries(rest.map((tensor, index) => [String(index), tensor])) };
    });
  });
});

function inputs(size: number): Record<'features' | 'outputGradient' | 'relu' | 'tanh', tf.Tensor1D> {
  const features = normal<tf.Rank.R1>('features', [size]);
  return {
    features,
    outputGradient: normal<tf.Rank.R1>('gradient', [size]),
    relu: tf.relu(features),
    tanh: tf.tanh(features),
  };
}
