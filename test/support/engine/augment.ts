import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { it } from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import { augment } from '../../../src/model/augment.js';
import { DRAWS } from '../../../src/model/augment-draws.js';
import { augmentationsOf } from '../../../src/model/regularization.js';
import { assertTensorClose } from '../relative-error.js';

interface Example {
  readonly size: number;
  /** [batch, size, size, 3] */
  readonly images: readonly number[];
  /** Of the sum of what is seen, whose gradient `gradient` is. */
  readonly weights: readonly number[];
  readonly draws: readonly number[];
  readonly results: Readonly<Record<string, { readonly seen: number[]; readonly gradient: number[] }>>;
}

const file = new URL('../../../../test/fixtures/augment/augment.json', import.meta.url);
const example = JSON.parse(await readFile(file, 'utf8')) as Example;

/** PyTorch computed in float64. */
const TOLERANCE = 1e-6;

/** DiffAugment against the authors' formulas in PyTorch. For whichever engine is loaded. */
export function testAugment(): void {
  for (const [names, expected] of Object.entries(example.results))
    it(`shows the discriminator what DiffAugment shows, with its gradient: ${names}`, (test) => {
      const { size, images, weights, draws } = example;
      const before = tf.memory().numTensors;
      const [seen, gradient] = tf.tidy(() => {
        const drawn = tf.tensor2d([...draws], [draws.length / DRAWS.length, DRAWS.length]);
        const tensor = (values: readonly number[]): tf.Tensor4D =>
          tf.tensor4d([...values], [drawn.shape[0], size, size, 3]);
        const show = (x: tf.Tensor): tf.Tensor4D => augment(x as tf.Tensor4D, drawn, augmentationsOf(names));
        const loss = (x: tf.Tensor): tf.Scalar => tf.sum(tf.mul(show(x), tensor(weights)));
        const x = tensor(images);
        return [show(x), tf.grad(loss)(x)].map((result) => result.dataSync<'float32'>());
      });
      for (const [what, actual, values] of [
        ['seen', seen, expected.seen],
        ['gradient', gradient, expected.gradient],
      ] as const)
        assertTensorClose(test, what, { actual, expected: Float32Array.from(values) }, TOLERANCE);
      assert.equal(tf.memory().numTensors, before);
    });
}
