import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { modelLayout } from '../src/model/layout.js';
import { placeInPhase, type PhasePlace } from '../src/model/element-location.js';
import type { Phase } from '../src/model/phase.js';
import { SMALL_MODEL } from './support/small-model.js';

/**
 * By hand, at 32 pixels with 4 features. Discriminator: kernels [4, 4, 3, 4], [4, 4, 4, 8], [4, 4, 8, 16],
 * [4, 4, 16, 1], batch norm of 8 and 16 channels after layers 1 and 2. Generator: [8, 256] and 16 channels,
 * [4, 4, 8, 16] and 8, [4, 4, 4, 8] and 4, [4, 4, 3, 4].
 */
const LAYER1 = 4 * 4 * 3 * 4;
const LAYER2 = LAYER1 + 4 * 4 * 4 * 8 + 2 * 8;
const LAYER3 = LAYER2 + 4 * 4 * 8 * 16 + 2 * 16;
const DISCRIMINATOR = LAYER3 + 4 * 4 * 16;
const GENERATOR = 8 * 256 + 2 * 16 + 4 * 4 * 8 * 16 + 2 * 8 + 4 * 4 * 4 * 8 + 2 * 4 + 4 * 4 * 3 * 4;
const GENERATOR_STATISTICS = 2 * (16 + 8 + 4);
const DISCRIMINATOR_STATISTICS = 2 * (8 + 16);

describe("an element of a phase's vector", () => {
  const layout = modelLayout(SMALL_MODEL);
  const expectPlace = (phase: Phase, element: number, place: PhasePlace): void => {
    assert.deepEqual(placeInPhase(phase, element, layout), place, `${phase} ${element}`);
  };
  const at = (network: PhasePlace['network'], layer: number | undefined, tensor: string): PhasePlace => ({
    ...{ network, layer, tensor },
  });

  it('is of a parameter, in the layout of the network that is updated', () => {
    expectPlace('discriminator', 0, at('discriminator', 0, 'kernel'));
    expectPlace('discriminator', LAYER1 - 1, at('discriminator', 0, 'kernel'));
    expectPlace('discriminator', LAYER1, at('discriminator', 1, 'kernel'));
    expectPlace('discriminator', LAYER2 - 16, at('discriminator', 1, 'gamma'));
    expectPlace('discriminator', LAYER2 - 1, at('discriminator', 1, 'beta'));
    expectPlace('discriminator', DISCRIMINATOR - 1, at('discriminator', 3, 'kernel'));
    expectPlace('generator', 8 * 256 + 16, at('generator', 0, 'beta'));
    expectPlace('generator', GENERATOR - 1, at('generator', 3, 'kernel'));
  });

  it("is of a batch's statistics, pass by pass", () => {
    expectPlace('discriminator', DISCRIMINATOR, at('generator', 0, 'mean'));
    const onReal = DISCRIMINATOR + GENERATOR_STATISTICS;
    expectPlace('discriminator', onReal - 1, at('generator', 2, 'variance'));
    expectPlace('discriminator', onReal, at('discriminator', 1, 'mean'));
    const onFake = onReal + DISCRIMINATOR_STATISTICS;
    expectPlace('discriminator', onFake + 8, at('discriminator', 1, 'variance'));
    expectPlace('generator', GENERATOR, at('discriminator', 1, 'mean'));
  });

  it('is a measure, or there is none', () => {
    const measures = GENERATOR + DISCRIMINATOR_STATISTICS;
    expectPlace('generator', measures, at('generator', undefined, 'loss'));
    expectPlace('generator', measures + 1, at('generator', undefined, 'fakeScore'));
    for (const element of [-1, measures + 2])
      assert.throws(() => placeInPhase('generator', element, layout), RangeError);
  });
});
