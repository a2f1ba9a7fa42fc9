import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fromForeign, toForeign } from '../src/formats/foreign-tensor.js';
import { pyTorchTensors } from '../src/formats/pytorch-tensors.js';
import { inverseOrder, reorderAxes, reorderedShape } from '../src/formats/reorder-axes.js';
import { tfjsTensors } from '../src/formats/tfjs-tensors.js';
import { NETWORKS } from '../src/model/architecture.js';
import { modelLayout } from '../src/model/layout.js';
import { stateLayout } from '../src/model/state.js';
import { readFixture } from './support/pytorch-fixtures.js';
import { readStep } from './support/pytorch-step.js';
import { SMALL_MODEL } from './support/small-model.js';

describe('the axes of a tensor', () => {
  it('are put in another order, and back', () => {
    // By hand, [height 1, width 2, input 3, output 2] -> [output, input, height, width]: what stands at (0, w, i, o) is
    // 100 * w + 10 * i + o.
    const ours = Float32Array.of(0, 1, 10, 11, 20, 21, 100, 101, 110, 111, 120, 121);
    const theirs = Float32Array.of(0, 100, 10, 110, 20, 120, 1, 101, 11, 111, 21, 121);
    assert.deepEqual(reorderAxes(ours, [1, 2, 3, 2], [3, 2, 0, 1]), theirs);
    assert.deepEqual(reorderedShape([1, 2, 3, 2], [3, 2, 0, 1]), [2, 3, 1, 2]);
    assert.deepEqual(inverseOrder([3, 2, 0, 1]), [2, 3, 1, 0]);
    assert.deepEqual(reorderAxes(theirs, [2, 3, 1, 2], [2, 3, 1, 0]), ours);
    // [latent 1, height 1, width 2, channels 3] -> [latent, channels, height, width], whose inverse is another.
    assert.deepEqual(
      reorderAxes(Float32Array.of(0, 1, 2, 10, 11, 12), [1, 1, 2, 3], [0, 3, 1, 2]),
      Float32Array.of(0, 10, 1, 11, 2, 12),
    );
    assert.deepEqual(inverseOrder([0, 3, 1, 2]), [0, 2, 3, 1]);
  });
});

describe("PyTorch's tensors", () => {
  for (const name of ['step-tutorial-64', 'step-paper-32', 'step-tutorial-128'])
    it(`have the names, shapes and places that PyTorch gives them: ${name}`, async () => {
      const fixture = await readFixture(`${name}.safetensors`);
      // `before` was made of the fixture by another mapping, with which the networks compute PyTorch's step.
      const { layout, before } = await readStep(name);
      const slots = new Map(stateLayout(layout).slots.map((slot) => [slot.name, slot]));
      for (const network of NETWORKS) {
        const { tensors, counters } = pyTorchTensors(network, layout[network]);
        const theirs = [...fixture].filter(([key]) => key.startsWith(`${network}.`));
        assert.deepEqual(
          new Map(tensors.map((tensor) => [`${network}.${tensor.name}`, tensor.shape])),
          new Map(theirs.map(([key, { shape }]) => [key, shape])),
        );
        for (const tensor of tensors) {
          const slot = slots.get(tensor.slot);
          const values = fixture.get(`${network}.${tensor.name}`)?.values;
          assert.ok(slot && values);
          const ours = before.slice(slot.offset, slot.offset + slot.size);
          assert.deepEqual(fromForeign(tensor, values), ours, tensor.name);
          assert.deepEqual(toForeign(tensor, ours), values, tensor.name);
        }
        assert.deepEqual(
          counters,
          tensors
            .filter(({ name: key }) => key.endsWith('.running_mean'))
            .map(({ name: key }) => key.replace('running_mean', 'num_batches_tracked')),
        );
      }
    });

  it('number the modules of the tutorial', () => {
    // By hand, from the tutorial's two classes at 32 pixels: D's first convolution has no BatchNorm2d.
    const layout = modelLayout(SMALL_MODEL);
    const weights = (network: 'generator' | 'discriminator'): string[] =>
      pyTorchTensors(network, layout[network])
        .tensors.filter(({ shape }) => shape.length === 4)
        .map(({ name }) => name);
    assert.deepEqual(weights('generator'), [
      'main.0.weight',
      'main.3.weight',
      'main.6.weight',
      'main.9.weight',
    ]);
    assert.deepEqual(weights('discriminator'), [
      'main.0.weight',
      'main.2.weight',
      'main.5.weight',
      'main.8.weight',
    ]);
  });
});

describe("TensorFlow.js's tensors", () => {
  it('are all of the generator, each once, as they lie here', () => {
    const layout = modelLayout(SMALL_MODEL);
    const tensors = tfjsTensors(layout);
    const ours = stateLayout(layout).slots.filter(({ name }) => /^generator\.(param|running)/.test(name));
    assert.deepEqual(
      new Map(tensors.map(({ slot, shape }) => [slot, shape])),
      new Map(ours.map(({ name, shape }) => [name, shape])),
    );
    assert.ok(tensors.every((tensor) => tensor.layout === undefined));
    assert.deepEqual(
      tensors.filter(({ name }) => name.startsWith('layer1')).map(({ name, slot }) => [name, slot]),
      [
        ['layer1/kernel', 'generator.parameters.layer1.kernel'],
        ['layer1_norm/gamma', 'generator.parameters.layer1.gamma'],
        ['layer1_norm/beta', 'generator.parameters.layer1.beta'],
        ['layer1_norm/moving_mean', 'generator.runningStatistics.layer1.mean'],
        ['layer1_norm/moving_variance', 'generator.runningStatistics.layer1.variance'],
      ],
    );
  });
});
