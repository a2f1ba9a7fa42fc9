import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import { compareWithCpu, normal } from './support/engine/compare-with-cpu.js';
import { startEngine } from './support/engine/start-engine.js';

await startEngine('wasm');

interface Convolution {
  readonly image: [batch: number, height: number, width: number, channels: number];
  readonly kernel: [height: number, width: number, input: number, output: number];
  readonly stride: number | [height: number, width: number];
  readonly pad: 'same' | 'valid' | number;
}

const SIDES: [number, number][] = [
  [8, 8],
  [7, 9],
  [5, 4],
];
const CASES: Convolution[] = [
  ...SIDES.flatMap(([height, width]) =>
    [1, 2].flatMap((stride) =>
      (['same', 'valid', 1] as const).map((pad): Convolution => ({
        image: [2, height, width, 3],
        kernel: [4, 4, 3, 5],
        stride,
        pad,
      })),
    ),
  ),
  // A stride that leaves pixels between the filter's places, other strides down than across, a filter of one pixel.
  { image: [2, 7, 8, 3], kernel: [2, 3, 3, 5], stride: 3, pad: 'valid' },
  { image: [2, 7, 8, 3], kernel: [3, 2, 3, 5], stride: [1, 2], pad: 'same' },
  { image: [2, 7, 8, 3], kernel: [1, 1, 3, 5], stride: 2, pad: 'same' },
  // One channel in, out, one image; the discriminator's last layer.
  { image: [1, 6, 6, 1], kernel: [4, 4, 1, 1], stride: 2, pad: 'same' },
  { image: [3, 4, 4, 8], kernel: [4, 4, 8, 1], stride: 1, pad: 'valid' },
  // Padding wider than the filter's place: some see nothing of the image.
  { image: [1, 3, 3, 2], kernel: [2, 2, 2, 3], stride: 1, pad: 3 },
  // Places, depth and channels beyond one block of each (256, 256, 128), and not multiples of a tile.
  { image: [3, 13, 14, 18], kernel: [4, 4, 18, 19], stride: 1, pad: 'same' },
  { image: [2, 10, 10, 9], kernel: [4, 4, 9, 131], stride: 2, pad: 'same' },
];

describe('convolution on wasm', () => {
  for (const convolution of CASES) {
    const { image, kernel, stride, pad } = convolution;
    it(`is the CPU's: [${image.join()}] by [${kernel.join()}], stride ${stride.toString()}, pad ${pad}`, async (test) => {
      await compareWithCpu(test, () => {
        const convolve = (images: tf.Tensor, filter: tf.Tensor): tf.Tensor4D =>
          tf.conv2d(
            images as tf.Tensor4D,
            filter as tf.Tensor4D,
            stride,
            pad,
            'NHWC',
            1,
            typeof pad === 'number' ? 'floor' : undefined,
          );
        const inputs = [normal('images', image), normal('filter', kernel)];
        const output = convolve(inputs[0], inputs[1]);
        const [forImages, forFilter] = tf.grads(convolve)(inputs, normal('gradient', output.shape));
        return { output, forImages, forFilter };
      });
    });
  }

  it("transposed is the CPU's", async (test) => {
    await compareWithCpu(test, () => {
      const features = normal<tf.Rank.R4>('features', [2, 5, 5, 6]);
      const filter = normal<tf.Rank.R4>('filter', [4, 4, 3, 6]);
      return { output: tf.conv2dTranspose(features, filter, [2, 10, 10, 3], 2, 'same') };
    });
  });

  it('leaves a dilated filter to the stock kernel', async (test) => {
    await compareWithCpu(test, () => {
      const images = normal<tf.Rank.R4>('images', [2, 9, 8, 3]);
      const filter = normal<tf.Rank.R4>('filter', [3, 3, 3, 5]);
      return { output: tf.conv2d(images, filter, 1, 'same', 'NHWC', 2) };
    });
  });

  it('refuses a filter gradient with channels first, as it has no stock kernel', async () => {
    await tf.setBackend('wasm');
    const [x, dy] = [normal('images', [1, 3, 8, 8]), normal('gradient', [1, 5, 4, 4])];
    const attributes = { strides: 2, pad: 'same', dataFormat: 'NCHW', filterShape: [4, 4, 3, 5] };
    assert.throws(
      () => tf.engine().runKernel('Conv2DBackpropFilter', { x, dy }, attributes),
      /NHWC only, not NCHW/,
    );
    tf.dispose([x, dy]);
  });
});
