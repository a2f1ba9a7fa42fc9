import assert from 'node:assert/strict';
import { it } from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import { augment } from '../../../src/model/augment.js';
import { DRAWS } from '../../../src/model/augment-draws.js';
import { discriminateWithR1 } from '../../../src/model/gradient-penalty.js';
import { valueAndGradients } from '../../../src/model/gradients.js';
import { discriminatorGradients, type DiscriminatorOptions } from '../../../src/model/phases.js';
import { AUGMENTATIONS } from '../../../src/model/regularization.js';
import { stateLayout } from '../../../src/model/state.js';
import { flatten, unflatten } from '../../../src/model/tensors.js';
import { readFixture, readNumbers } from '../pytorch-fixtures.js';
import { fromPyTorch } from '../pytorch-layout.js';
import { readStep } from '../pytorch-step.js';
import { assertClose, relativeError } from '../relative-error.js';

/** PyTorch computed in float64. Of a tensor's largest value. */
const GRADIENT_TOLERANCE = 1e-4;
const VALUE_TOLERANCE = 1e-4;
const GAMMA = 10;

/** The gradient penalty against PyTorch's double backward. For whichever engine is loaded. */
export function testPenalty(): void {
  for (const kind of ['plain', 'augmented'] as const)
    it(`has PyTorch's gradient penalty and its gradient, by double backward: ${kind}`, async (test) => {
      const { layout, before, real, model } = await readStep('step-tutorial-64');
      const numbers = (await readNumbers('penalty.json')) as { draws: number[] } & Record<
        typeof kind,
        number
      >;
      const tensors = await readFixture('penalty.safetensors');
      const network = layout.discriminator;
      const expected = fromPyTorch(tensors, kind, 'discriminator', network.parameters);

      const held = tf.memory().numTensors;
      const [value, gradient, withPenalty, without] = tf.tidy(() => {
        const { start, end } = stateLayout(layout).spans.discriminator.parameters;
        const parameters = unflatten(tf.tensor1d(before.slice(start, end)), network.parameters);
        const images = tf.tensor4d(real, [
          real.length / 3 / model.imageSize ** 2,
          model.imageSize,
          model.imageSize,
          3,
        ]);
        const draws = tf.tensor2d(numbers.draws, [images.shape[0], DRAWS.length]);
        const options: DiscriminatorOptions =
          kind === 'plain' ? {} : { augment: (seen) => augment(seen, draws, AUGMENTATIONS) };
        const penalty = valueAndGradients(parameters, (inputs) => ({
          loss: discriminateWithR1(network, inputs, images, options.augment).penalty,
          extras: [],
        }));
        const batchGradients = (r1?: number): tf.Tensor1D =>
          flatten(discriminatorGradients(layout, parameters, images, 1, { ...options, r1 }).gradients);
        return [penalty.loss, flatten(penalty.gradients), batchGradients(GAMMA), batchGradients()].map(
          (tensor) => tensor.dataSync<'float32'>(),
        );
      });
      assert.equal(tf.memory().numTensors, held);

      const error = relativeError(value, [numbers[kind]]);
      test.diagnostic(`the penalty is within ${error.toExponential(1)}`);
      assert.ok(error <= VALUE_TOLERANCE, `the penalty is ${value[0]}, PyTorch's is ${numbers[kind]}`);
      const slots = network.parameters;
      assertClose(test, 'gradient', { actual: gradient, expected, slots }, GRADIENT_TOLERANCE);
      // The batchGradients's gradient is that of both losses.
      const sum = without.map((each, index) => each + GAMMA * expected[index]);
      assertClose(test, 'batchGradients', { actual: withPenalty, expected: sum, slots }, GRADIENT_TOLERANCE);
    });
}
