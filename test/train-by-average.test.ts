import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { trainByAverage, type Averager } from '../src/coordinator/train-by-average.js';
import { NotFinite } from '../src/model/replica.js';

/** Notes what it is asked for; the norm of every average is this. */
function averager(gradientNorm: number): { group: Averager; asked: string[] } {
  const asked: string[] = [];
  const vector = Float32Array.of(1, 2, 0.25, 0.5);
  const group: Averager = {
    compute: (phase, step) => {
      asked.push(`compute ${phase} ${step}`);
      return Promise.resolve({ vector, gradientNorm, computeSeconds: 3 });
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
    const { group, asked } = averager(4);
    assert.deepEqual(await trainByAverage(group, 'generator', 7), {
      measures: { loss: 0.25, fakeScore: 0.5 },
      gradientNorm: 4,
      computeSeconds: 3,
    });
    assert.deepEqual(asked, ['compute generator 7', 'apply generator 7']);
  });

  it('is never applied where the gradient is not finite', async () => {
    for (const norm of [NaN, Infinity]) {
      const { group, asked } = averager(norm);
      await assert.rejects(trainByAverage(group, 'discriminator', 7), NotFinite);
      assert.deepEqual(asked, ['compute discriminator 7']);
    }
  });
});
