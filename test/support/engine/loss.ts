import assert from 'node:assert/strict';
import { it } from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import { binaryCrossEntropy, meanScore } from '../../../src/model/loss.js';
import { readNumbers } from '../pytorch-fixtures.js';

interface Example {
  readonly targets: readonly number[] | readonly (readonly number[])[];
  readonly loss: number;
}

interface Logits extends Example {
  readonly logits: readonly number[] | readonly (readonly number[])[];
  readonly gradient: readonly number[] | readonly (readonly number[])[];
}

interface Examples {
  readonly tutorial: Example & { readonly probabilities: readonly (readonly number[])[] };
  readonly random: Logits;
  readonly extremeReal: Logits;
  readonly extremeFake: Logits;
}

const { tutorial, random, extremeReal, extremeFake } = (await readNumbers('bce.json')) as Examples;

/** Binary cross-entropy against PyTorch's. For whichever engine is loaded. */
export function testLoss(): void {
  it("gives the loss of the tutorial's worked example, 0.7137", () => {
    const logits = tutorial.probabilities
      .flat()
      .map((probability) => Math.log(probability / (1 - probability)));
    const { loss } = lossAndGradient(logits, tutorial.targets.flat());
    assert.equal(loss.toFixed(4), '0.7137');
    closeTo(loss, tutorial.loss);
  });

  for (const [name, example] of Object.entries({ random, extremeReal, extremeFake }))
    it(`gives PyTorch's loss and gradient of logits: ${name}`, () => {
      const { loss, gradient } = lossAndGradient(example.logits.flat(), example.targets.flat());
      closeTo(loss, example.loss);
      example.gradient.flat().forEach((expected, index) => {
        closeTo(gradient[index], expected);
      });
    });

  it('scores logits by the mean of their sigmoids', () => {
    // sigmoid(log 3) = 3/4; logits of any size stay within [0, 1].
    const scores = [[Math.log(3), -Math.log(3)], [Math.log(3)], [-1000], [1000]].map((logits) =>
      read(() => meanScore(tf.tensor1d(logits))),
    );
    [0.5, 0.75, 0, 1].forEach((expected, index) => {
      closeTo(scores[index]?.[0], expected);
    });
  });
}

/**
 * The mean over elements with either label, from the function under test, which takes one label for all: the two
 * groups' means weighted by their sizes.
 */
function lossAndGradient(
  logits: readonly number[],
  targets: readonly number[],
): { loss: number; gradient: number[] } {
  let loss = 0;
  const gradient = new Array<number>(logits.length).fill(NaN);
  for (const label of [0, 1] as const) {
    const places = targets.flatMap((target, index) => (target === label ? [index] : []));
    if (places.length === 0) continue;
    const group = places.map((place) => logits[place]);
    const weight = places.length / logits.length;
    loss += weight * read(() => binaryCrossEntropy(tf.tensor1d(group), label))[0];
    const gradients = read(() => tf.grad((x) => binaryCrossEntropy(x, label))(tf.tensor1d(group)));
    places.forEach((place, index) => (gradient[place] = weight * gradients[index]));
  }
  return { loss, gradient };
}

function read(make: () => tf.Tensor): Float32Array {
  const tensor = tf.tidy(make);
  const values = tensor.dataSync<'float32'>();
  tensor.dispose();
  return values;
}

/** Within 1e-9 where PyTorch rounds to 0 what is e^-20 / 7. */
function closeTo(actual: number | undefined, expected: number): void {
  const tolerance = 2e-6 * Math.abs(expected) + 1e-9;
  assert.ok(Math.abs((actual ?? NaN) - expected) <= tolerance, `${actual ?? 'nothing'} is not ${expected}`);
}
