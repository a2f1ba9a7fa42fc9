import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { placeWorkers } from '../src/coordinator/fleet/local-workers/placement.js';

describe('the workers of a machine', () => {
  it('get a GPU each, in turn where there are fewer', () => {
    assert.deepEqual(
      placeWorkers(3, [0, 5], 64).map(({ gpu, cores }) => [gpu, cores]),
      [
        [0, []],
        [5, []],
        [0, []],
      ],
    );
  });

  it('share the cores where there is no GPU, each core with one of them', () => {
    assert.deepEqual(
      placeWorkers(2, [], 5).map(({ cores }) => cores),
      [
        [0, 1],
        [2, 3, 4],
      ],
    );
    for (let cores = 1; cores <= 20; cores++)
      for (let workers = 1; workers <= cores; workers++) {
        const parts = placeWorkers(workers, [], cores).map((placement) => placement.cores);
        assert.deepEqual(
          parts.flat(),
          Array.from({ length: cores }, (_, core) => core),
        );
        assert.ok(parts.every(({ length }) => length >= Math.floor(cores / workers)));
      }
  });

  it('have all cores in common where there are too few', () => {
    assert.deepEqual(placeWorkers(3, [], 2), Array(3).fill({ gpu: undefined, cores: [] }));
  });
});
