import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import { beforeEach, describe, it } from 'node:test';
import { CopyLost } from '../src/model/state-source.js';
import { Copies } from '../src/coordinator/fleet/state-transfer/snapshot-requests.js';
import { Expectations } from '../src/coordinator/fleet/pending-waits.js';
import { Roster, type Member } from '../src/coordinator/fleet/members/roster.js';
import { WholeCopy, type KeptShards } from '../src/coordinator/fleet/state-transfer/checkpoint-snapshot.js';
import { WorkerLost } from '../src/coordinator/fleet/worker-lost.js';
import { RunMetrics } from '../src/monitoring/metrics/run-metrics.js';
import { CHUNK_BYTES } from '../src/wire/codec.js';
import { Content } from '../src/wire/message.js';
import { FakePost, memberOf } from './support/fake-post.js';

const STATE = 8;
/** Of a shard: two chunks. */
const BYTES = CHUNK_BYTES + 4;

describe('a copy of the state and of what is kept of the shards', () => {
  let post: FakePost;
  let expectations: Expectations;
  let copies: Copies;
  let kept: KeptShards;
  let [one, other]: Member[] = [];

  beforeEach(() => {
    post = new FakePost();
    expectations = new Expectations();
    const roster = new Roster(2, new RunMetrics({ batchSize: 16 }));
    [one, other] = [memberOf(0), memberOf(1)];
    for (const member of [one, other]) roster.add(member);
    copies = new Copies(post.asPost, expectations, roster, () => undefined);
    const read = (shard: number, offset: number, length: number): Promise<Uint8Array> =>
      Promise.resolve(new Uint8Array(length).fill(100 + shard + (offset > 0 ? 50 : 0)));
    // Shard 1 is lost, shard 3 is as it was in the checkpoint.
    kept = { bytes: BYTES, keepers: [other, undefined, one, { read }, other] };
  });

  /** Both workers make their copies. */
  async function taken(): Promise<WholeCopy> {
    const taking = WholeCopy.take(copies, { member: one, content: Content.STATE, total: STATE }, kept);
    await turn();
    assert.deepEqual(
      post.take().map(({ peer, body }) => [peer, body]),
      [
        ['peer-0', { content: Content.STATE, withDigest: false, shards: [] }],
        ['peer-1', { content: Content.RESIDUALS, withDigest: false, shards: [0, 4] }],
        ['peer-0', { content: Content.RESIDUALS, withDigest: false, shards: [2] }],
      ],
    );
    let isTaken = false;
    void taking.then(
      () => (isTaken = true),
      () => undefined,
    );
    copies.taken(one, { content: Content.STATE, total: STATE, digest: '' });
    copies.taken(other, { content: Content.RESIDUALS, total: BYTES, digest: '' });
    await turn();
    assert.equal(isTaken, false, 'the next update waits for all');
    copies.taken(one, { content: Content.RESIDUALS, total: BYTES, digest: '' });
    return taking;
  }

  /** Sends what is asked for: each byte is ten times the worker, and the shard, and 50 more in the second chunk. */
  function answer(): number {
    const letters = post.take();
    for (const letter of letters) {
      assert.equal(letter.kind, 'fetch');
      const member = letter.peer === 'peer-0' ? one : other;
      const { content, shard, offset } = letter.body;
      const total = content === Content.STATE ? STATE : BYTES;
      const payload = new Uint8Array(Math.min(CHUNK_BYTES, total - offset)).fill(
        content === Content.STATE ? 99 : 10 * member.number + shard + (offset > 0 ? 50 : 0),
      );
      copies.chunk(member, { ...letter.body, total, payload });
    }
    return letters.length;
  }

  it('is read in the order of a checkpoint, each part from where it is kept', async () => {
    const copy = await taken();
    const pieces: [number, number, number][] = [];
    const reading = copy.read((bytes, offset) => void pieces.push([offset, bytes.length, bytes[0]]));
    let most = 0;
    // Of the state, and then two of each shard.
    while (pieces.length < 1 + 2 * kept.keepers.length) {
      most = Math.max(most, answer());
      await turn();
    }
    await reading;
    const at = (shard: number): number => STATE + shard * BYTES;
    const parts = (shard: number, first: number, second: number): [number, number, number][] => [
      [at(shard), CHUNK_BYTES, first],
      [at(shard) + CHUNK_BYTES, 4, second],
    ];
    assert.deepEqual(pieces, [
      [0, STATE, 99],
      ...parts(0, 10, 60),
      ...parts(1, 0, 0),
      ...parts(2, 2, 52),
      ...parts(3, 103, 153),
      ...parts(4, 14, 64),
    ]);
    assert.ok(most <= 2, 'one shard after the other');
  });

  it('is lost where one of its workers is, whichever, and lets the next one be taken', async () => {
    for (const lost of [0, 1]) {
      const copy = await taken();
      const reading = copy.read(() => undefined);
      if (lost === 1) {
        answer();
        await turn();
      }
      expectations.lose(new WorkerLost(lost, 'exited', 'gone'));
      await assert.rejects(reading, CopyLost);
      post.take();
    }
    // Had a turn been kept, this one would wait.
    await taken();
  });
});
