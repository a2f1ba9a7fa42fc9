import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Way } from '../bench/averaging/rows.js';
import { floatsOfRound } from '../bench/scaling/local-steps.js';
import { roundSeconds, type RoundOptions } from '../bench/scaling/simulate.js';

import { SMALL_MODEL } from './support/small-model.js';

const FREE = { io: 0, perMessage: 0, send: 0, receive: 0, sum: 0, copy: 0 };

/** A chunk is 100 floats of 4 bytes and takes a link 1 s. */
function seconds(way: Way, workers: number, chunks: number, more: Partial<RoundOptions> = {}): number {
  return roundSeconds({
    ...{ way, workers, floats: 100 * chunks, chunkFloats: 100, bytesPerFloat: 4 },
    ...{ costs: FREE, network: { bytesPerSecond: 400, latency: 0 }, ...more },
  });
}

const ways = ['star', 'ring', 'tree'] as const;

describe('a simulated round of averaging takes', () => {
  it('nothing for one worker', () => {
    for (const way of ways) assert.equal(seconds(way, 1, 10), 0);
  });

  it('in a star all vectors through one link, and the last chunk out to all', () => {
    // Chunk c is here from all after (c + 1) n seconds, and the means go out while others come in.
    for (const workers of [2, 3, 10]) assert.equal(seconds('star', workers, 5), workers * (5 + 1));
  });

  it('in a ring of two the vector and one chunk more, there and back at once', () => {
    assert.equal(seconds('ring', 2, 5), 5 + 1);
  });

  it('of one chunk: two links for each worker of a ring but one, two for each level of a tree', () => {
    for (const workers of [2, 3, 16]) assert.equal(seconds('ring', workers, 1), 2 * (workers - 1));
    for (const levels of [1, 2, 4]) assert.equal(seconds('tree', 2 ** levels, 1), 2 * levels);
  });

  it('in a long ring the vector twice through each link, in a short time more for each worker', () => {
    const [short, long] = [100, 200].map((chunks) => seconds('ring', 8, chunks));
    assert.ok(Math.abs(long - short - 200) <= 2, `${long - short} s for 100 chunks more`);
  });

  it('with latency as much more as there are links one after the other, and three for orders and reports', () => {
    const network = { bytesPerSecond: 400, latency: 10 };
    assert.equal(seconds('ring', 3, 1, { network }), 4 * (1 + 10) + 3 * 10);
    assert.equal(seconds('star', 3, 1, { network }), 3 + 10 + 3 + 10 + 3 * 10);
  });

  it('what the sums cost where links are free', () => {
    const costs = { ...FREE, sum: 1 / 400 };
    const network = { bytesPerSecond: Infinity, latency: 0 };
    // A star adds everything in one place, one after the other; workers of a ring at the same time.
    assert.equal(seconds('star', 5, 10, { costs, network }), 4 * 10);
    assert.equal(seconds('ring', 5, 10, { costs, network }), 10 + 4 - 1);
  });

  it('after local steps the state: three times the weights, 104 running statistics, 7 measures a step', () => {
    // Worked by hand: 3 + 1 layers of 4 to 16 channels, a kernel of 4 x 4, batch norm in all but first and last.
    const kernels = {
      generator: 8 * 16 * 16 + 16 * (16 * 8 + 8 * 4 + 4 * 3),
      discriminator: 16 * (3 * 4 + 4 * 8 + 8 * 16) + 16 * 16,
    };
    const channels = { generator: 16 + 8 + 4, discriminator: 8 + 16 };
    const weights =
      kernels.generator + kernels.discriminator + 2 * (channels.generator + channels.discriminator);
    const statistics = 2 * (channels.generator + channels.discriminator);
    const phases = floatsOfRound(SMALL_MODEL, 1);
    assert.equal(phases[0] + phases[1], weights + 2 * (28 + 24 + 24 + 24) + 5);
    assert.deepEqual(floatsOfRound(SMALL_MODEL, 4), [3 * weights + statistics + 4 * 7]);
  });

  it('half as long on a link with half as many bytes a number', () => {
    for (const way of ways)
      assert.equal(seconds(way, 4, 7, { bytesPerFloat: 2 }), seconds(way, 4, 7) / 2, way);
  });

  it('what all copies of a chunk cost where places share a core', () => {
    const network = { bytesPerSecond: Infinity, latency: 0, sharedCores: 1 };
    const costs = { ...FREE, io: 1 / 400 };
    // There and back, out of the one and into the other.
    assert.equal(seconds('ring', 2, 1, { costs, network }), 4);
    assert.equal(seconds('ring', 2, 3, { costs, network }), 12);
  });
});
