import { describe, it } from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import { BATCH_NORM_EPSILON, trainingBatchNorm } from '../src/engine/batch-norm.js';
import { compareWithCpu, normal, type Results } from './support/engine/compare-with-cpu.js';
import { startEngine } from './support/engine/start-engine.js';

await startEngine('wasm');

type Shape = [batch: number, height: number, width: number, channels: number];

const SHAPES: Shape[] = [
  [1, 2, 3, 1],
  [2, 3, 3, 3],
  [2, 4, 4, 8],
  // Several chunks of rows, the last one short; channels that are no multiple of four.
  [3, 10, 9, 5],
  [3, 17, 17, 130],
];

describe('batch norm on wasm', () => {
  for (const shape of SHAPES)
    it(`is the CPU's, and its gradients, for [${shape.join()}]`, async (test) => {
      await compareWithCpu(
        test,
        () => results(shape, 0, trainingBatchNorm),
        () => results(shape, 0, composed),
      );
    });

  it('keeps its digits where the mean is far from zero', async (test) => {
    // Of numbers near 100 with a deviation of 1, float32 keeps 8e-6 of the deviation; the CPU loses some of that too.
    const shape: Shape = [3, 17, 17, 6];
    await compareWithCpu(
      test,
      () => results(shape, 100, trainingBatchNorm),
      () => results(shape, 100, composed),
      2e-5,
    );
  });
});

function results(shape: Shape, offset: number, normalise: typeof trainingBatchNorm): Results {
  const channels: [number] = [shape[3]];
  const inputs = [
    tf.add(normal('features', shape), offset),
    normal('gamma', channels),
    normal('beta', channels),
  ];
  const forward = (features: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor): ReturnType<typeof normalise> =>
    normalise(features as tf.Tensor4D, gamma as tf.Tensor1D, beta as tf.Tensor1D);
  const { output, mean, variance } = forward(inputs[0], inputs[1], inputs[2]);
  const [forFeatures, forGamma, forBeta] = tf.grads(
    (features, gamma, beta) => forward(features, gamma, beta).output,
  )(inputs, normal('gradient', shape));
  return { output, mean, variance, forFeatures, forGamma, forBeta };
}

/** Of TensorFlow.js's ops, which differentiates them by itself. */
function composed(
  features: tf.Tensor4D,
  gamma: tf.Tensor1D,
  beta: tf.Tensor1D,
): ReturnType<typeof trainingBatchNorm> {
  const rows = features.size / features.shape[3];
  const { mean, variance } = tf.moments(features, [0, 1, 2]) as { mean: tf.Tensor1D; variance: tf.Tensor1D };
  const inverse = tf.rsqrt(tf.add(variance, BATCH_NORM_EPSILON));
  const output: tf.Tensor4D = tf.add(tf.mul(tf.mul(tf.sub(features, mean), inverse), gamma), beta);
  return { output, mean, variance: tf.mul(variance, rows / (rows - 1)) };
}
