import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { UserError } from '../src/common/errors.js';
import {
  ARCHITECTURES,
  checkModelOptions,
  IMAGE_SIZES,
  NETWORKS,
  type Architecture,
  type ImageSize,
  type ModelOptions,
  type Network,
} from '../src/model/architecture.js';
import { modelLayout, type Slot } from '../src/model/layout.js';
import { MEASURES, phaseLayout, PHASES, readMeasures } from '../src/model/phase.js';
import { stateLayout } from '../src/model/state.js';
import { readNumbers } from './support/pytorch-fixtures.js';
import { SMALL_MODEL } from './support/small-model.js';

const counts = (await readNumbers('counts.json')) as Record<
  Architecture,
  Record<ImageSize, Record<Network, number>>
>;

/** The tutorial's sizes. */
function fullSize(architecture: Architecture, imageSize: ImageSize): ModelOptions {
  return { architecture, imageSize, latentSize: 100, generatorFeatures: 64, discriminatorFeatures: 64 };
}

function assertWithoutGaps(slots: readonly Slot[], length: number): void {
  let next = 0;
  for (const { name, shape, offset, size } of slots) {
    assert.equal(offset, next, name);
    assert.equal(
      size,
      shape.reduce((product, side) => product * side),
      name,
    );
    next += size;
  }
  assert.equal(next, length);
}

describe('the networks', () => {
  for (const architecture of ARCHITECTURES)
    for (const imageSize of IMAGE_SIZES)
      it(`have as many parameters as PyTorch's: ${architecture}, ${imageSize} pixels`, () => {
        const layout = modelLayout(fullSize(architecture, imageSize));
        for (const network of NETWORKS)
          assert.equal(layout[network].parameterCount, counts[architecture][imageSize][network], network);
      });

  it('have the channels of the paper (figure 1) and of the tutorial at 64 pixels', () => {
    const channels = (architecture: Architecture, network: Network): number[] =>
      modelLayout(fullSize(architecture, 64))[network].layers.map(({ outputChannels }) => outputChannels);
    assert.deepEqual(channels('paper', 'generator'), [1024, 512, 256, 128, 3]);
    assert.deepEqual(channels('tutorial', 'generator'), [512, 256, 128, 64, 3]);
    assert.deepEqual(channels('tutorial', 'discriminator'), [64, 128, 256, 512, 1]);
  });

  it('refuse options that nothing can be built from', () => {
    checkModelOptions(SMALL_MODEL);
    for (const [wrong, message] of [
      [{ imageSize: 48 }, 'image size 48 is not one of 32, 64, 128'],
      [{ latentSize: 0 }, 'latentSize must be a whole number of at least 1, not 0'],
      [{ generatorFeatures: 1.5 }, 'generatorFeatures must be a whole number of at least 1, not 1.5'],
      [{ discriminatorFeatures: NaN }, 'discriminatorFeatures must be a whole number of at least 1, not NaN'],
      [{ architecture: 'stylegan' }, 'architecture stylegan is not one of paper, tutorial'],
    ] as const)
      assert.throws(() => {
        checkModelOptions({ ...SMALL_MODEL, ...wrong } as ModelOptions);
      }, new UserError(message));
  });
});

describe('the layouts', () => {
  const layout = modelLayout(SMALL_MODEL);

  it('place parameters, statistics and the whole state without gaps, each name once', () => {
    for (const network of NETWORKS) {
      assertWithoutGaps(layout[network].parameters, layout[network].parameterCount);
      assertWithoutGaps(layout[network].statistics, layout[network].statisticCount);
    }
    const { slots, length, spans } = stateLayout(layout);
    assertWithoutGaps(slots, length);
    assert.equal(new Set(slots.map(({ name }) => name)).size, slots.length);
    for (const network of NETWORKS)
      for (const [part, { start, end }] of Object.entries(spans[network])) {
        const inside = slots.filter(({ offset }) => offset >= start && offset < end);
        assert.ok(inside.every(({ name }) => name.startsWith(`${network}.${part}.layer`)));
        assert.equal(
          inside.reduce((sum, { size }) => sum + size, 0),
          end - start,
        );
      }
  });

  it('give a phase one vector of gradient, statistics and measures', () => {
    const discriminator = phaseLayout('discriminator', layout);
    const { parameterCount, statisticCount } = layout.discriminator;
    const generatorStatistics = layout.generator.statisticCount;
    assert.deepEqual(discriminator.gradient, { start: 0, end: parameterCount });
    assert.deepEqual(
      discriminator.statistics.map(({ network, span }) => [network, span.end - span.start]),
      [
        ['generator', generatorStatistics],
        ['discriminator', statisticCount],
        ['discriminator', statisticCount],
      ],
    );
    assert.equal(discriminator.length, parameterCount + generatorStatistics + 2 * statisticCount + 3);
    assert.equal(
      phaseLayout('generator', layout).length,
      layout.generator.parameterCount + statisticCount + MEASURES.generator.length,
    );
    for (const phase of PHASES) {
      const { gradient, statistics, measures, length } = phaseLayout(phase, layout);
      const spans = [gradient, ...statistics.map(({ span }) => span), measures];
      spans.forEach(({ start }, index) => {
        assert.equal(start, spans[index - 1]?.end ?? 0);
      });
      assert.equal(spans.at(-1)?.end, length);
    }
  });

  it('read the measures from the end of a vector', () => {
    const vector = Float32Array.of(9, 9, 1.5, 0.75, 0.25);
    assert.deepEqual(readMeasures('discriminator', vector), { loss: 1.5, realScore: 0.75, fakeScore: 0.25 });
    assert.deepEqual(readMeasures('generator', vector), { loss: 0.75, fakeScore: 0.25 });
  });
});
