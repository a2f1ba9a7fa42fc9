import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { assignShards } from '../src/coordinator/fleet/shard-assignment.js';

describe('shards', () => {
  it('go to neighbouring workers, worked by hand', () => {
    assert.deepEqual(assignShards(4, 4), [[0], [1], [2], [3]]);
    assert.deepEqual(assignShards(4, 2), [
      [0, 1],
      [2, 3],
    ]);
    assert.deepEqual(assignShards(5, 3), [[0], [1, 2], [3, 4]]);
    assert.deepEqual(assignShards(3, 1), [[0, 1, 2]]);
  });

  it('are all hosted once, in order, as evenly as whole numbers allow', () => {
    for (let shards = 1; shards <= 40; shards++)
      for (let workers = 1; workers <= shards; workers++) {
        const parts = assignShards(shards, workers);
        assert.equal(parts.length, workers);
        assert.deepEqual(
          parts.flat(),
          Array.from({ length: shards }, (_, shard) => shard),
        );
        const sizes = parts.map(({ length }) => length);
        assert.ok(Math.min(...sizes) >= Math.floor(shards / workers));
        assert.ok(Math.max(...sizes) <= Math.ceil(shards / workers));
      }
  });
});
