import { describe, it } from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import { fillNormal, randomStream } from '../src/common/random.js';
import { startEngine } from './support/engine/start-engine.js';
import { assertTensorClose } from './support/relative-error.js';

await startEngine('wasm');

interface Convolution {
  readonly image: [batch: number, height: number, width: number, channels: number];
  readonly kernel: [height: number, width: number, input: number, output: number];
  readonly stride: number;
  readonly pad: 'same' | 'valid' | number;
}

/** The oracle is TensorFlow.js's plain JavaScript backend. */
describe('the filter gradient of the wasm engine', () => {
  const sides: [number, number][] = [
    [8, 8],
    [7, 9],
    [5, 4],
  ];
  const cases = sides.flatMap(([height, width]) =>
    [1, 2].flatMap((stride) =>
      (['same', 'valid', 1] as const).map((pad): Convolution => ({
        image: [2, height, width, 3],
        kernel: [4, 4, 3, 5],
        stride,
        pad,
      })),
    ),
  );
  // What no kernel of 4 shows: a stride that leaves pixels between the filter's places, and a filter of one pixel.
  cases.push({ image: [2, 7, 8, 3], kernel: [2, 3, 3, 5], stride: 3, pad: 'valid' });
  cases.push({ image: [2, 7, 8, 3], kernel: [1, 1, 3, 5], stride: 2, pad: 'same' });

  for (const convolution of cases) {
    const { image, kernel, stride, pad } = convolution;
    it(`of a ${kernel[0]}x${kernel[1]} filter on ${image[1]}x${image[2]} pixels, stride ${stride}, pad ${pad}`, async (test) => {
      const actual = await filterGradient('wasm', convolution);
      const expected = await filterGradient('cpu', convolution);
      assertTensorClose(test, 'gradient', { actual, expected }, 2e-6);
    });
  }
});

/** d sum(convolution * weights) / d filter */
async function filterGradient(backend: 'wasm' | 'cpu', convolution: Convolution): Promise<Float32Array> {
  await tf.setBackend(backend);
  const { image, kernel, stride, pad } = convolution;
  const gradient = tf.tidy(() => {
    const images = normal('images', image);
    const convolve = (filter: tf.Tensor): tf.Tensor4D =>
      tf.conv2d(images, filter as tf.Tensor4D, stride, pad, 'NHWC', 1, pad === 1 ? 'floor' : undefined);
    return tf.grad((filter) => {
      const output = convolve(filter);
      return tf.sum(tf.mul(output, normal('weights', output.shape)));
    })(normal('filter', kernel));
  });
  const values = gradient.dataSync<'float32'>();
  gradient.dispose();
  return values;
}

function normal(name: string, shape: [number, number, number, number]): tf.Tensor4D {
  const size = shape.reduce((product, side) => product * side, 1);
  return tf.tensor4d(fillNormal(new Float32Array(size), randomStream(2, name)), shape);
}
