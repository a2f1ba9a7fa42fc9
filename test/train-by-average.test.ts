import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { neverFiniteLine } from '../src/coordinator/never-finite-line.js';
import { trainByAverage, type Averager } from '../src/coordinator/averaged-update.js';
import { NeverFinite, type NotFiniteElement } from '../src/coordinator/nonfinite-retry.js';
import { modelLayout } from '../src/model/layout.js';
import { SMALL_MODEL, SMALL_TRAINING } from './support/small-model.js';

/** Notes what it is asked for; the norms of its averages are these, one after the other. */
function averager(norms: number[], found?: NotFiniteElement): { group: Averager; asked: string[] } {
  const asked: string[] = [];
  const measures = Float32Array.of(1, 2, 0.25, 0.5);
  const group: Averager = {
    compute: (phase, step, inspect) => {
      asked.push(`${inspect ? 'inspect' : 'compute'} ${phase} ${step}`);
      const gradientNorm = norms.shift() ?? assert.fail('asked once more');
      const notFinite = inspect ? found : undefined;
      return Promise.resolve({ measures, gradientNorm, computeSeconds: 3, notFinite });
    },
    apply: (phase, step) => {
      asked.push(`apply ${phase} ${step}`);
      return Promise.resolve();
    },
  };
  return { group, asked };
}

describe('a phase by averages', () => {
  it('is applied once it is known to be finite', async () => {
    const { group, asked } = averager([4]);
    assert.deepEqual(await trainByAverage(group, 'generator', 7), {
      measures: { loss: 0.25, fakeScore: 0.5 },
      gradientNorm: 4,
      computeSeconds: 3,
      redone: 0,
    });
    assert.deepEqual(asked, ['compute generator 7', 'apply generator 7']);
  });

  it('is computed again where the gradient is not finite, and applied once', async () => {
    const { group, asked } = averager([NaN, Infinity, 4]);
    const { redone, gradientNorm } = await trainByAverage(group, 'generator', 7);
    assert.deepEqual([redone, gradientNorm], [2, 4]);
    assert.deepEqual(asked, [
      'compute generator 7',
      'inspect generator 7',
      'inspect generator 7',
      'apply generator 7',
    ]);
  });

  it('is never applied where the gradient stays so, and it is said where that is', async () => {
    const layout = modelLayout(SMALL_MODEL);
    const { offset } = layout.discriminator.parameters.find(({ name }) => name === 'layer2.kernel') ?? {
      offset: assert.fail(),
    };
    for (const [found, where] of [
      [{ shard: 1, worker: 1, element: offset + 5 }, 'layer 2, kernel; computed by worker 1, shard 1'],
      [{ shard: 0, worker: undefined, element: 0 }, 'layer 0, kernel; computed by this process, shard 0'],
      [undefined, "each shard's numbers are, but not their sum"],
    ] as const) {
      const { group, asked } = averager([NaN, Infinity, NaN], found);
      const error = await trainByAverage(group, 'discriminator', 12).then(
        () => assert.fail('it was applied'),
        (reason: unknown) => reason,
      );
      assert.ok(error instanceof NeverFinite);
      assert.equal(
        neverFiniteLine(error, SMALL_TRAINING),
        `the discriminator's gradient is not finite at step 12 (${where}) for the third time`,
      );
      assert.deepEqual(asked, [
        'compute discriminator 12',
        'inspect discriminator 12',
        'inspect discriminator 12',
      ]);
    }
  });
});
