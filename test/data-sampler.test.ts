import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { UserError } from '../src/common/errors.js';
import { Sampler } from '../src/data/sampler.js';

const settings = [
  { count: 100, batch: 12, shards: 1 },
  { count: 100, batch: 12, shards: 4 },
  { count: 103, batch: 12, shards: 6 },
  { count: 12, batch: 12, shards: 12 },
  { count: 1003, batch: 40, shards: 8 },
];

/** What all shards see in a step. */
function batchOf(sampler: Sampler, step: number): number[] {
  return Array.from({ length: sampler.options.shards }, (_, shard) => [
    ...sampler.indices(step, shard),
  ]).flat();
}

describe('sampling', () => {
  for (const setting of settings) {
    const { count, batch, shards } = setting;
    const sampler = new Sampler({ ...setting, seed: 7 });
    const steps = Math.floor(count / batch);

    it(`of ${count} images in batches of ${batch} over ${shards} shards takes no image twice in an epoch`, () => {
      assert.equal(sampler.batchesPerEpoch, steps);
      for (const epoch of [1, 2]) {
        const seen = Array.from({ length: steps }, (_, step) =>
          batchOf(sampler, (epoch - 1) * steps + step + 1),
        );
        assert.ok(seen.every((images) => images.length === batch));
        assert.equal(new Set(seen.flat()).size, steps * batch);
        assert.ok(seen.flat().every((image) => image >= 0 && image < count));
      }
    });

    it(`of ${count} images over ${shards} shards gives a shard its own images alone`, () => {
      for (let shard = 0; shard < shards; shard++) {
        for (let step = 1; step <= steps; step++) {
          assert.ok(sampler.indices(step, shard).every((image) => image % shards === shard));
        }
      }
      const owned = Array.from({ length: shards }, (_, shard) => sampler.sizeOf(shard));
      assert.equal(
        owned.reduce((sum, each) => sum + each, 0),
        count,
      );
      assert.ok(Math.min(...owned) >= steps * sampler.shardBatch);
    });
  }

  it('depends on seed, step and shard alone, whatever was asked before', () => {
    const options = { count: 100, batch: 20, shards: 4, seed: 3 };
    const forwards = new Sampler(options);
    const all = Array.from({ length: 15 }, (_, step) => batchOf(forwards, step + 1));
    const backwards = new Sampler(options);
    for (let step = 15; step >= 1; step--) assert.deepEqual(batchOf(backwards, step), all[step - 1]);
    assert.notDeepEqual(batchOf(new Sampler({ ...options, seed: 4 }), 1), all[0]);
  });

  it('draws a new order each epoch, and comes to every image', () => {
    const sampler = new Sampler({ count: 23, batch: 10, shards: 2, seed: 0 });
    assert.equal(sampler.epochOf(2), 1);
    assert.equal(sampler.epochOf(3), 2);
    assert.notDeepEqual(batchOf(sampler, 1), batchOf(sampler, 3));
    const seen = new Set(Array.from({ length: 40 }, (_, step) => batchOf(sampler, step + 1)).flat());
    assert.equal(seen.size, 23);
  });

  it('refuses fewer images than a batch, and names the largest batch possible', () => {
    const refused = (count: number, batch: number, shards: number, message: RegExp): void => {
      assert.throws(
        () => new Sampler({ count, batch, shards, seed: 0 }),
        (error) => error instanceof UserError && message.test(error.message),
      );
    };
    refused(103, 128, 4, /largest batch possible is 100$/);
    refused(3, 128, 4, /too few for 4 shards/);
    refused(1000, 130, 4, /cannot be cut into 4 equal shards/);
    assert.equal(new Sampler({ count: 103, batch: 100, shards: 4, seed: 0 }).batchesPerEpoch, 1);
  });

  it('has the same batches where several of them are a step, and fewer steps in as many epochs', () => {
    const options = { count: 23, batch: 2, shards: 2, seed: 5 };
    const [each, three] = [new Sampler(options), new Sampler({ ...options, accumulate: 3 })];
    for (let batch = 1; batch <= 25; batch++) assert.deepEqual(batchOf(three, batch), batchOf(each, batch));
    // An epoch has 11 batches: the fourth step has two of the first epoch and one of the second.
    assert.deepEqual([each.stepsIn(1), each.stepsIn(5)], [11, 55]);
    assert.deepEqual(
      [1, 2, 3, 5].map((epochs) => three.stepsIn(epochs)),
      [3, 7, 11, 18],
    );
    assert.deepEqual(
      [1, 3, 4, 5, 7, 8, 9].map((step) => three.epochOf(step)),
      [1, 1, 1, 2, 2, 2, 3],
    );
  });

  it('refuses more batches a step than an epoch has, and names the most possible', () => {
    const options = { count: 103, batch: 20, shards: 4, seed: 0 };
    assert.equal(new Sampler({ ...options, accumulate: 5 }).stepsIn(1), 1);
    assert.throws(
      () => new Sampler({ ...options, accumulate: 6 }),
      (error) =>
        error instanceof UserError &&
        error.message === '103 images are fewer than 6 batches of 20: --accumulate can be at most 5',
    );
  });

  it('counts batches from 1', () => {
    const sampler = new Sampler({ count: 10, batch: 2, shards: 1, seed: 0 });
    assert.throws(() => sampler.indices(0, 0), RangeError);
    assert.throws(() => sampler.indices(1, 1), RangeError);
  });

  it('mirrors half of the images, by seed, step and shard alone, and none unless it is told to', () => {
    const options = { count: 2000, batch: 1000, shards: 2, seed: 3, mirror: true };
    const sampler = new Sampler(options);
    const sides = (step: number, shard: number): readonly boolean[] => sampler.mirrored(step, shard) ?? [];
    for (const [step, shard] of [
      [1, 0],
      [1, 1],
      [7, 0],
    ]) {
      const count = sides(step, shard).filter(Boolean).length;
      // 500 throws of a coin: 250, and no further from it than four deviations of 11.2.
      assert.ok(Math.abs(count - 250) < 45, `${count} of 500 are mirrored`);
    }
    assert.notDeepEqual(sides(1, 0), sides(1, 1));
    assert.notDeepEqual(sides(1, 0), sides(2, 0));
    assert.deepEqual(new Sampler(options).mirrored(7, 1), sides(7, 1));
    assert.notDeepEqual(new Sampler({ ...options, seed: 4 }).mirrored(7, 1), sides(7, 1));
    assert.equal(new Sampler({ ...options, mirror: undefined }).mirrored(1, 0), undefined);
    assert.deepEqual(new Sampler({ ...options, mirror: undefined }).indices(1, 0), sampler.indices(1, 0));
  });
});
