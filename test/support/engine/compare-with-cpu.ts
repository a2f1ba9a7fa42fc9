import type { TestContext } from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import { fillNormal, randomStream } from '../../../src/common/random.js';
import { assertTensorClose } from '../relative-error.js';

/**
 * Of a result's largest value. Either side adds some hundred to some thousand float32 products, each in its own
 * order: the root of their number times half a unit in the last place, 6e-8.
 */
const TOLERANCE = 2e-6;

/** What tensors by name are computed to be. A type, so that tidy() can return it. */
export type Results = Record<string, tf.Tensor>;

/**
 * Asserts that WebAssembly and TensorFlow.js's plain JavaScript backend compute the same. Where the two do not run
 * the same ops, `onCpu` says what the latter computes.
 */
export async function compareWithCpu(
  test: TestContext,
  compute: () => Results,
  onCpu: () => Results = compute,
  tolerance = TOLERANCE,
): Promise<void> {
  const actual = await valuesOn('wasm', compute);
  const expected = await valuesOn('cpu', onCpu);
  for (const [name, values] of Object.entries(expected))
    assertTensorClose(test, name, { actual: actual[name], expected: values }, tolerance);
}

async function valuesOn(
  backend: 'wasm' | 'cpu',
  compute: () => Results,
): Promise<Record<string, Float32Array>> {
  await tf.setBackend(backend);
  const results = tf.tidy(compute);
  const values = Object.entries(results).map(
    ([name, tensor]) => [name, tensor.dataSync<'float32'>()] as const,
  );
  tf.dispose(results);
  return Object.fromEntries(values);
}

/** Normal numbers, the same for the same name and shape. */
export function normal<R extends tf.Rank>(name: string, shape: tf.ShapeMap[R]): tf.Tensor<R> {
  const values = new Float32Array(tf.util.sizeFromShape(shape));
  return tf.tensor(fillNormal(values, randomStream(2, name)), shape);
}
