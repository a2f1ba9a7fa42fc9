import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { ARCHITECTURES, IMAGE_SIZES } from '../src/model/architecture.js';
import { modelLayout } from '../src/model/layout.js';
import { formatSummary, summariseDiscriminator, summariseGenerator } from '../src/model/summary.js';
import { SMALL_TRAINING } from './support/small-model.js';

describe('a summary of the networks', () => {
  for (const architecture of ARCHITECTURES)
    for (const imageSize of IMAGE_SIZES) {
      const features = { generatorFeatures: 64, discriminatorFeatures: 64 };
      const model = { architecture, imageSize, latentSize: 100, ...features };

      it(`is what torchsummary prints of PyTorch's (${architecture}, ${imageSize} pixels)`, async () => {
        const fixture = new URL(
          `../../test/fixtures/summary/${architecture}-${imageSize}.txt`,
          import.meta.url,
        );
        const ours =
          `Generator\n${formatSummary(summariseGenerator(model))}\n` +
          `Discriminator\n${formatSummary(summariseDiscriminator(model))}`;
        assert.equal(ours, await readFile(fixture, 'utf8'));
      });

      it(`counts the parameters that are trained (${architecture}, ${imageSize} pixels)`, () => {
        const layout = modelLayout({ ...SMALL_TRAINING, ...model });
        for (const [network, summary] of [
          ['generator', summariseGenerator(model)],
          ['discriminator', summariseDiscriminator(model)],
        ] as const) {
          const count = summary.rows.reduce((sum, { parameters }) => sum + parameters, 0);
          assert.equal(count, layout[network].parameterCount);
        }
      });
    }
});
