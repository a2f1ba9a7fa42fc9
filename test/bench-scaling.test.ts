import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Way } from '../bench/averaging/rows.js';
import type { Cut } from '../src/averaging/vector-cuts.js';
import { floatsOfRound } from '../bench/scaling/local-steps.js';
import { roundSeconds, type RoundOptions } from '../bench/scaling/simulate.js';
import { LEARNED_AHEAD, waitingSeconds } from '../bench/scaling/waiting.js';

import { SMALL_MODEL } from './support/small-model.js';

const FREE = { io: 0, perMessage: 0, send: 0, receive: 0, sum: 0, copy: 0 };

/** So many chunks of 100 numbers, of so many bytes on the wire. */
function cuts(chunks: number, bytes = 400): Cut[] {
  return Array.from({ length: chunks }, (_, part) => ({
    ...{ part, offset: 100 * part, length: 100 },
    format: 'fp32',
    bytes,
  }));
}

/** A chunk takes a link 1 s. */
function seconds(way: Way, workers: number, chunks: number, more: Partial<RoundOptions> = {}): number {
  return roundSeconds({
    ...{ way, workers, cuts: cuts(chunks) },
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

  it('in a ring of two the vector through each link, both ways at once', () => {
    assert.equal(seconds('ring', 2, 6), 6);
  });

  it('of one chunk: through one link for each worker of a ring but one, two for each level of a tree', () => {
    for (const workers of [2, 3, 16]) assert.equal(seconds('ring', workers, 1), 2 * (workers - 1));
    for (const levels of [1, 2, 4]) assert.equal(seconds('tree', 2 ** levels, 1), 2 * levels);
  });

  it('in a ring and in a tree seven eighths of the vector of eight through each link, twice', () => {
    for (const way of ['ring', 'tree'] as const) {
      const [short, long] = [80, 160].map((chunks) => seconds(way, 8, chunks));
      const least = (2 * 7 * 80) / 8;
      assert.ok(long - short >= least && long - short <= 1.2 * least, `${way}: ${long - short} s`);
    }
  });

  it('with latency as much more as there are links one after the other, and three for orders and reports', () => {
    const network = { bytesPerSecond: 400, latency: 10 };
    assert.equal(seconds('ring', 3, 1, { network }), 2 * (2 + 10) + 3 * 10);
    assert.equal(seconds('star', 3, 1, { network }), 3 + 10 + 3 + 10 + 3 * 10);
  });

  it('what the sums cost where links are free', () => {
    const costs = { ...FREE, sum: 1 / 400 };
    const network = { bytesPerSecond: Infinity, latency: 0 };
    // A star adds everything in one place, one after the other; workers of a ring each a part.
    assert.equal(seconds('star', 5, 10, { costs, network }), 4 * 10);
    assert.equal(seconds('ring', 5, 10, { costs, network }), (4 * 10) / 5);
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
      assert.equal(seconds(way, 4, 7, { cuts: cuts(7, 200) }), seconds(way, 4, 7) / 2, way);
  });

  it('what all copies of a chunk cost where places share a core', () => {
    const network = { bytesPerSecond: Infinity, latency: 0, sharedCores: 1 };
    const costs = { ...FREE, io: 1 / 400 };
    // There and back, out of the one and into the other.
    assert.equal(seconds('ring', 2, 1, { costs, network }), 4);
    assert.equal(seconds('ring', 2, 3, { costs, network }), 12);
  });
});

describe('a simulated step waits', () => {
  it("for the discriminator's round, and for what of the generator's is not hidden behind what is computed ahead", () => {
    const rounds = { discriminator: 3, generator: 4 };
    assert.equal(waitingSeconds(rounds, 0), 7);
    assert.equal(waitingSeconds(rounds, 10), 3 + 4 - 10 * LEARNED_AHEAD);
    assert.equal(waitingSeconds(rounds, 4 / LEARNED_AHEAD), 3);
    assert.equal(waitingSeconds(rounds, 100), 3);
  });
});
