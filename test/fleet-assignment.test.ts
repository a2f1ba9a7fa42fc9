import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { randomStream } from '../src/common/random.js';
import { spreadShards } from '../src/coordinator/fleet/members/shard-assignment.js';

describe('shards', () => {
  it('are spread over workers, worked by hand', () => {
    assert.deepEqual([...spreadShards(4, [0, 1])], [[0, [0, 1]], [1, [2, 3]]]); // prettier-ignore
    assert.deepEqual([...spreadShards(5, [0, 2, 3])], [[0, [0, 1]], [2, [2, 3]], [3, [4]]]); // prettier-ignore
    assert.deepEqual([...spreadShards(3, [7])], [[7, [0, 1, 2]]]);
  });

  it('stay where they are, and only those of who is gone move', () => {
    const hosted = new Map([
      [0, [0, 1]],
      [1, [2, 3]],
      [2, [4, 5]],
    ]);
    // Worker 1 is gone: its shards go one to each.
    assert.deepEqual([...spreadShards(6, [0, 2], hosted)], [[0, [0, 1, 2]], [2, [3, 4, 5]]]); // prettier-ignore
    // It comes back as worker 3: each of the others gives one.
    const two = spreadShards(6, [0, 2], hosted);
    assert.deepEqual([...spreadShards(6, [0, 2, 3], two)], [[0, [0, 1]], [2, [3, 4]], [3, [2, 5]]]); // prettier-ignore
  });

  it('are all hosted once, evenly, and none moves without need, whoever comes and goes', () => {
    const stream = randomStream(1, 'admission');
    for (let run = 0; run < 300; run++) {
      const shards = uniformInt(stream, 1, 24);
      let hosted = new Map<number, number[]>();
      let workers: number[] = [];
      for (let change = 0; change < 12; change++) {
        const worker = uniformInt(stream, 0, shards - 1);
        const left = workers.filter((each) => each !== worker);
        workers = (left.length === workers.length || left.length === 0 ? [...left, worker] : left).sort(
          (one, other) => one - other,
        );
        const before = hosted;
        hosted = spreadShards(shards, workers, before);
        const all = [...hosted.values()].flat().sort((one, other) => one - other);
        assert.deepEqual(
          all,
          Array.from({ length: shards }, (_, shard) => shard),
        );
        const least = Math.floor(shards / workers.length);
        for (const [number, own] of hosted) {
          assert.ok(own.length === least || own.length === least + 1);
          // Who got new shards gave none away.
          const had = before.get(number) ?? [];
          const kept = own.filter((shard) => had.includes(shard));
          assert.equal(kept.length, Math.min(had.length, own.length));
        }
      }
    }
  });
});
