import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { shardNoise } from '../src/model/noise.js';
import { ShardTrainer, type ShardImages } from '../src/model/shard-trainer.js';
import { computingHandle, type ComputeRequest, type LearnRequest } from './support/engine/replica-call.js';
import { SMALL_TRAINING } from './support/small-model.js';

const { batchSize, shards, latentSize, seed } = SMALL_TRAINING;

/** Where a shard's images are all of one number, which says which they are. */
const numberOf = (batch: number, shard: number): number => batch + shard / 10;

interface Asked {
  /** Of its images; undefined where it was given none. */
  readonly images: number | undefined;
  readonly noise: readonly number[];
}

interface Watched {
  readonly computer: ShardTrainer;
  readonly asked: Asked[];
  /** What it was asked to learn ahead, when all of it was done. */
  readonly ahead: Asked[];
  readonly read: number[];
}

/** A computer whose replica answers with the numbers of the calls, and what it was asked for. */
function watched(accumulate: number): Watched {
  const asked: Asked[] = [];
  const ahead: Asked[] = [];
  const read: number[] = [];
  const images: ShardImages = {
    read: (batch, shard, into) => {
      read.push(numberOf(batch, shard));
      into.fill(numberOf(batch, shard));
    },
  };
  const seen = ({ noise, images: given }: ComputeRequest | LearnRequest): Asked => {
    assert.ok(!given || given.every((value) => value === given[0]));
    return { images: given && Number(given[0].toFixed(1)), noise: [...noise] };
  };
  const handle = computingHandle(
    (request) => Float32Array.of(asked.push(seen(request)), -asked.length),
    (request) => {
      // Another thread reads what it was given until it answers.
      setImmediate(() => ahead.push(seen(request)));
    },
  );
  const computer = new ShardTrainer({ ...SMALL_TRAINING, accumulate }, handle, images);
  return { computer, asked, ahead, read };
}

function noiseOf(batch: number, shard: number): number[] {
  return [...shardNoise(seed, batch, shard, new Float32Array((batchSize / shards) * latentSize))];
}

describe('what a shard of a step is computed on', () => {
  it('is one batch, that of the step', async () => {
    const { computer, asked, read } = watched(1);
    const { vector, seconds } = await computer.compute('discriminator', 7, 1, { step: 8, shard: 0 });
    assert.deepEqual(asked, [{ images: 7.1, noise: noiseOf(7, 1) }]);
    assert.deepEqual([[...vector], seconds], [[1, -1], 0.25]);
    assert.deepEqual(read, [7.1, 8]);
  });

  it('is the next three where three are accumulated, each read once and while the one before is computed', async () => {
    const { computer, asked, read } = watched(3);
    const { vector, seconds } = await computer.compute('discriminator', 2, 0, { step: 2, shard: 1 });
    assert.deepEqual(
      asked,
      [4, 5, 6].map((batch) => ({ images: batch, noise: noiseOf(batch, 0) })),
    );
    assert.deepEqual([[...vector], seconds], [[2, -2], 0.75]);
    await computer.compute('discriminator', 2, 1, { step: 3, shard: 0 });
    assert.deepEqual(read, [4, 5, 6, 4.1, 5.1, 6.1, 7]);
    await computer.compute('generator', 2, 0, { step: 2, shard: 1 });
    assert.deepEqual(
      asked.slice(6),
      [4, 5, 6].map((batch) => ({ images: undefined, noise: noiseOf(batch, 0) })),
    );
    await computer.compute('discriminator', 3, 0, { step: 3, shard: 1 });
    assert.deepEqual(read, [4, 5, 6, 4.1, 5.1, 6.1, 7, 8, 9, 7.1]);
  });

  it('is learned from ahead by half, from images that are read once, in time that counts to the phase', async () => {
    const { computer, asked, ahead, read } = watched(1);
    await computer.compute('discriminator', 4, 1, { step: 5, shard: 0 });
    await computer.compute('generator', 4, 1, { step: 5, shard: 0 });
    computer.prefetchRealBatch({ step: 5, shard: 0 });
    const { seconds } = await computer.compute('discriminator', 5, 0, { step: 5, shard: 1 });
    assert.deepEqual(ahead, [{ images: 5, noise: noiseOf(5, 0) }]);
    assert.deepEqual(asked[2], { images: 5, noise: noiseOf(5, 0) });
    assert.equal(seconds, 0.375);
    assert.deepEqual(read, [4.1, 5, 5.1]);
    assert.equal((await computer.compute('discriminator', 5, 1, { step: 6, shard: 0 })).seconds, 0.25);
  });

  it('is the first of three where three are accumulated', async () => {
    const { computer, ahead, read } = watched(3);
    computer.prefetchRealBatch({ step: 2, shard: 1 });
    const { seconds } = await computer.compute('discriminator', 2, 1, { step: 3, shard: 1 });
    assert.deepEqual(ahead, [{ images: 4.1, noise: noiseOf(4, 1) }]);
    assert.deepEqual([seconds, read], [0.875, [4.1, 5.1, 6.1, 7.1]]);
  });

  it('leaves what is learned from as it is until that is done, whatever is asked for instead', async () => {
    const { computer, asked, ahead } = watched(1);
    for (const phase of ['discriminator', 'generator'] as const) {
      computer.prefetchRealBatch({ step: 5, shard: 0 });
      const { seconds } = await computer.compute(phase, 9, 1, { step: 9, shard: 0 });
      assert.deepEqual(ahead.pop(), { images: 5, noise: noiseOf(5, 0) });
      assert.deepEqual(asked.at(-1)?.noise, noiseOf(9, 1));
      assert.equal(seconds, 0.25);
    }
  });

  it('is given up between two batches where nobody wants it any more, and nothing more is read', async () => {
    const { computer, asked, read } = watched(3);
    const isWanted = (): boolean => asked.length < 2;
    const next = { step: 2, shard: 0 };
    assert.equal(await computer.compute('discriminator', 1, 0, next, isWanted), undefined);
    assert.equal(asked.length, 2);
    assert.deepEqual(read, [1, 2, 3]);
  });
});
