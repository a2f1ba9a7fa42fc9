import assert from 'node:assert/strict';
import { it } from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import { fillNormal, randomStream } from '../../../src/common/random.js';
import { BATCH_NORM_EPSILON, trainingBatchNorm } from '../../../src/engine/batch-norm.js';
import { assertTensorClose } from '../relative-error.js';

const SHAPE: [number, number, number, number] = [3, 2, 5, 4];
const CHANNELS = 4;
const ROWS = 30;

interface Inputs {
  readonly features: Float64Array;
  readonly gamma: Float64Array;
  readonly beta: Float64Array;
}

const inputs: Inputs = {
  // Each channel has a mean and a deviation of its own, so that a mix-up of channels shows.
  features: normal('features', ROWS * CHANNELS).map((x, i) => x * (1 + (i % CHANNELS)) + 3 * (i % CHANNELS)),
  gamma: normal('gamma', CHANNELS).map((x) => 1 + x / 2),
  beta: normal('beta', CHANNELS),
};
/** The loss is the sum of output * weight, so this is what comes back from the layers above. */
const weights = normal('weights', ROWS * CHANNELS);

/** The batch norm kernels against the definition in float64 and its finite differences. */
export function testBatchNorm(): void {
  it('normalises by the batch and gives the unbiased variance', (test) => {
    const expected = definition(inputs);
    const [output, mean, variance] = read(() => {
      const batch = trainingBatchNorm(...tensors());
      return [batch.output, batch.mean, batch.variance];
    });
    for (const [name, actual] of Object.entries({ output, mean, variance })) {
      assert.ok(actual);
      const wanted = Float32Array.from(expected[name as keyof typeof expected]);
      assertTensorClose(test, name, { actual, expected: wanted }, 1e-6);
    }
  });

  it('passes back the gradients of features, gamma and beta', (test) => {
    const lossOf = (features: tf.Tensor4D, gamma: tf.Tensor1D, beta: tf.Tensor1D): tf.Scalar =>
      tf.sum(tf.mul(trainingBatchNorm(features, gamma, beta).output, tf.tensor4d([...weights], SHAPE)));
    const gradients = read(() => tf.grads(lossOf as (...args: tf.Tensor[]) => tf.Tensor)(tensors()));
    (['features', 'gamma', 'beta'] as const).forEach((name, index) => {
      const actual = gradients[index];
      assert.ok(actual);
      assertTensorClose(test, `gradient of ${name}`, { actual, expected: finiteDifferences(name) }, 1e-5);
    });
  });
}

function tensors(): [tf.Tensor4D, tf.Tensor1D, tf.Tensor1D] {
  const { features, gamma, beta } = inputs;
  return [tf.tensor4d([...features], SHAPE), tf.tensor1d([...gamma]), tf.tensor1d([...beta])];
}

/** Batch norm as Ioffe and Szegedy (2015) define it, and PyTorch's variance for the running statistics. */
function definition({ features, gamma, beta }: Inputs): {
  output: number[];
  mean: number[];
  variance: number[];
} {
  const output = new Array<number>(features.length);
  const mean: number[] = [];
  const variance: number[] = [];
  for (let channel = 0; channel < CHANNELS; channel++) {
    const places = Array.from({ length: ROWS }, (_, row) => row * CHANNELS + channel);
    const values = places.map((place) => features[place]);
    const average = values.reduce((sum, x) => sum + x, 0) / ROWS;
    const squares = values.reduce((sum, x) => sum + (x - average) ** 2, 0);
    const deviation = Math.sqrt(squares / ROWS + BATCH_NORM_EPSILON);
    places.forEach((place, row) => {
      const normalised = (values[row] - average) / deviation;
      output[place] = normalised * gamma[channel] + beta[channel];
    });
    mean.push(average);
    variance.push(squares / (ROWS - 1));
  }
  return { output, mean, variance };
}

/** d loss / d input, by a small move of each number to both sides. */
function finiteDifferences(name: keyof Inputs): Float32Array {
  const step = 1e-4;
  const lossWith = (index: number, change: number): number => {
    const moved = { ...inputs, [name]: inputs[name].with(index, inputs[name][index] + change) };
    return definition(moved).output.reduce((sum, x, i) => sum + x * weights[i], 0);
  };
  return Float32Array.from(inputs[name], (_, i) => (lossWith(i, step) - lossWith(i, -step)) / (2 * step));
}

/** Numbers that float32 holds exactly, so that both sides start from the same ones. */
function normal(name: string, length: number): Float64Array {
  return Float64Array.from(fillNormal(new Float32Array(length), randomStream(1, name)));
}

function read(make: () => tf.Tensor[]): Float32Array[] {
  const results = tf.tidy(make);
  const values = results.map((tensor) => tensor.dataSync<'float32'>());
  tf.dispose(results);
  return values;
}
