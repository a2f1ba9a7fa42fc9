import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import { conv2DBackpropFilterConfig } from '@tensorflow/tfjs-node-gpu/dist/kernels/Conv2DBackpropFilter.js';
import { fillNormal, randomStream } from '../src/common/random.js';
import { filterGradientKernel, isFasterHere } from '../src/engine/native/filter-gradient.js';
import { nativeBackend } from '../src/engine/native/index.js';
import { processorFeatures } from '../src/engine/processor.js';
import { startEngine } from './support/engine/start-engine.js';
import { assertTensorClose } from './support/relative-error.js';

const missing = await startEngine('native');
const canRun = ['avx2', 'fma'].every((feature) => processorFeatures().includes(feature));
const skip = missing ?? (canRun ? undefined : 'this processor has no AVX2');

/** Of the largest value; sums of up to 2,000 products in another order. */
const TOLERANCE = 5e-6;

interface Shape {
  readonly name: string;
  readonly input: [number, number, number, number];
  readonly outputs: number;
  readonly filter: [number, number];
  readonly strides: number;
  readonly pad: 'same' | 'valid';
}

const shapes: readonly Shape[] = [
  {
    name: 'a layer of the model',
    input: [3, 16, 16, 32],
    outputs: 64,
    filter: [4, 4],
    strides: 2,
    pad: 'same',
  },
  {
    name: 'outputs that fill no tile',
    input: [2, 8, 8, 16],
    outputs: 1,
    filter: [4, 4],
    strides: 2,
    pad: 'same',
  },
  {
    name: 'outputs beyond a tile',
    input: [2, 8, 8, 16],
    outputs: 13,
    filter: [4, 4],
    strides: 2,
    pad: 'same',
  },
  { name: 'odd sides', input: [2, 9, 7, 48], outputs: 6, filter: [3, 5], strides: 2, pad: 'same' },
  { name: 'stride 1', input: [1, 6, 6, 16], outputs: 8, filter: [4, 4], strides: 1, pad: 'valid' },
  {
    name: 'a stride that leaves pixels out',
    input: [2, 11, 11, 16],
    outputs: 7,
    filter: [2, 2],
    strides: 3,
    pad: 'valid',
  },
  { name: 'one pixel', input: [1, 1, 1, 16], outputs: 2, filter: [1, 1], strides: 1, pad: 'valid' },
  {
    name: 'more places than a block',
    input: [2, 34, 30, 16],
    outputs: 6,
    filter: [3, 3],
    strides: 1,
    pad: 'same',
  },
];

describe("our kernel for a filter's gradient", { skip }, () => {
  for (const shape of shapes)
    it(`computes what TensorFlow's does: ${shape.name}`, (test) => {
      const [stock, own] = bothKernels(shape);
      assertTensorClose(test, 'gradient', { actual: own, expected: stock }, TOLERANCE);
    });

  it('leaves to TensorFlow what it does not take', () => {
    const [stock, own] = bothKernels({ ...shapes[0], input: [2, 8, 8, 3] });
    assert.deepEqual(own, stock);
  });

  it('is used on processors with AVX2, but not where AVX512 has a better one', () => {
    assert.ok(isFasterHere(['avx', 'avx2', 'fma']));
    assert.ok(!isFasterHere(['avx2', 'fma', 'avx512f']));
    assert.ok(!isFasterHere(['avx2']));
    assert.ok(!isFasterHere(['asimd']));
  });
});

/** The gradient by the stock kernel and by ours. */
function bothKernels({ input, outputs, filter, strides, pad }: Shape): [Float32Array, Float32Array] {
  const backend = nativeBackend();
  const filterShape: [number, number, number, number] = [...filter, input[3], outputs];
  const { outShape } = tf.backend_util.computeConv2DInfo(input, filterShape, strides, 1, pad);
  const attrs = { strides, pad, filterShape, dataFormat: 'NHWC', dimRoundingMode: undefined };
  const run = ({ kernelFunc }: tf.KernelConfig): Float32Array =>
    tf.tidy(() => {
      const inputs = { x: random('input', input), dy: random('gradient', outShape) };
      const result = kernelFunc({ inputs, attrs: attrs as unknown as tf.NamedAttrMap, backend });
      return (result as tf.Tensor).dataSync<'float32'>();
    });
  return [run(conv2DBackpropFilterConfig), run(filterGradientKernel(conv2DBackpropFilterConfig, backend))];
}

function random(name: string, shape: readonly number[]): tf.Tensor {
  const length = shape.reduce((product, side) => product * side, 1);
  return tf.tensor(fillNormal(new Float32Array(length), randomStream(1, name)), [...shape]);
}
