import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import { beforeEach, describe, it } from 'node:test';
import { CopyLost } from '../src/model/state-source.js';
import { SnapshotRequests } from '../src/coordinator/fleet/state-transfer/snapshot-requests.js';
import { PendingReplies } from '../src/coordinator/fleet/pending-replies.js';
import { Roster, type Member } from '../src/coordinator/fleet/members/roster.js';
import { WorkerLost } from '../src/coordinator/fleet/worker-lost.js';
import { RunMetrics } from '../src/monitoring/metrics/run-metrics.js';
import { CHUNK_BYTES } from '../src/wire/codec.js';
import { Content, type Bodies } from '../src/wire/message.js';
import { Rejection } from '../src/wire/rejection.js';
import { FakeWorkerChannel, memberOf } from './support/fake-worker-channel.js';

const TOTAL = 2 * CHUNK_BYTES + 100;
const COPY = { content: Content.STATE, total: TOTAL, digest: 'd' } as const;

describe('snapshots of what workers hold', () => {
  let channel: FakeWorkerChannel;
  let replies: PendingReplies;
  let roster: Roster;
  let snapshots: SnapshotRequests;
  let late: [number, number][];
  let [one, other]: Member[] = [];

  beforeEach(() => {
    channel = new FakeWorkerChannel();
    replies = new PendingReplies();
    roster = new Roster(2, new RunMetrics({ batchSize: 16 }));
    late = [];
    [one, other] = [memberOf(0), memberOf(1)];
    for (const member of [one, other]) roster.add(member);
    snapshots = new SnapshotRequests(channel.asChannel, replies, roster, ({ number }, time) => {
      late.push([number, time]);
      replies.lose(new WorkerLost(number, 'overdue', 'late'));
    });
  });

  function chunk(offset: number, request: number, total = TOTAL): Bodies['chunk'] {
    const payload = new Uint8Array(Math.min(CHUNK_BYTES, total - offset)).fill(offset / CHUNK_BYTES + 1);
    return { content: Content.STATE, shard: 0, offset, total, request, payload };
  }

  async function taken() {
    const taking = snapshots.take({ member: one, content: Content.STATE, total: TOTAL });
    await turn();
    snapshots.taken(one, COPY);
    const result = await taking;
    channel.take();
    return result;
  }

  /** What a worker was asked for: offset and request of each chunk. */
  function asked(): [number, number][] {
    return channel.take().map((message) => {
      assert.equal(message.kind, 'fetch');
      return [message.body.offset, message.body.request];
    });
  }

  it('are asked of one worker, and taken from nobody else and as nothing else', async () => {
    const taking = snapshots.take({ member: one, content: Content.STATE, total: TOTAL, withDigest: true });
    await turn();
    assert.deepEqual(channel.take(), [
      { peer: 'peer-0', kind: 'snapshot', body: { content: Content.STATE, withDigest: true } },
    ]);
    for (const [member, said] of [
      [other, COPY],
      [one, { ...COPY, content: Content.SAMPLES }],
      [one, { ...COPY, total: TOTAL + 4 }],
    ] as const)
      assert.throws(() => {
        snapshots.taken(member, said);
      }, Rejection);
    snapshots.taken(one, COPY);
    const { copy } = await taking;
    assert.deepEqual([copy.member, copy.total, copy.digest], [one, TOTAL, 'd']);
    assert.throws(() => {
      snapshots.taken(one, COPY);
    }, Rejection);
  });

  it('are made one after the other', async () => {
    const { release } = await taken();
    const next = snapshots.take({ member: other, content: Content.SAMPLES, total: 8 });
    await turn();
    assert.deepEqual(channel.take(), []);
    release();
    await turn();
    assert.equal(channel.take().length, 1);
    snapshots.taken(other, { content: Content.SAMPLES, total: 8, digest: '' });
    assert.equal((await next).copy.member, other);
  });

  it('are fetched whole and in order', async () => {
    const { copy } = await taken();
    const into = new Uint8Array(TOTAL);
    const reading = snapshots.read(copy, (bytes, offset) => {
      into.set(bytes, offset);
    });
    const offsets = [0, CHUNK_BYTES, 2 * CHUNK_BYTES];
    assert.deepEqual(
      asked(),
      offsets.map((offset) => [offset, copy.request]),
    );
    for (const offset of offsets) snapshots.chunk(one, chunk(offset, copy.request));
    await reading;
    assert.deepEqual([into[0], into[CHUNK_BYTES], into[TOTAL - 1]], [1, 2, 3]);
    assert.deepEqual(asked(), []);
    // What comes once more is of a reading that is over.
    snapshots.chunk(one, chunk(0, copy.request));
  });

  it('are no business of those who were not asked', async () => {
    const { copy } = await taken();
    assert.throws(() => {
      snapshots.chunk(one, chunk(0, copy.request + 1));
    }, Rejection);
    let bytes = 0;
    const reading = snapshots.read(copy, (part) => {
      bytes += part.length;
    });
    snapshots.chunk(other, chunk(0, copy.request));
    await turn();
    assert.equal(bytes, 0);
    for (const offset of [0, CHUNK_BYTES, 2 * CHUNK_BYTES]) snapshots.chunk(one, chunk(offset, copy.request));
    await reading;
    assert.equal(bytes, TOTAL);
  });

  it('are lost with their worker, and the next one begins', async () => {
    const lost = new WorkerLost(0, 'exited', 'gone');
    const taking = snapshots.take({ member: one, content: Content.STATE, total: TOTAL });
    await turn();
    replies.lose(lost);
    await assert.rejects(taking, lost);
    assert.throws(() => {
      snapshots.taken(one, COPY);
    }, Rejection);

    const { copy, release } = await taken();
    const reading = snapshots.read(copy, () => undefined);
    snapshots.chunk(one, chunk(0, copy.request));
    replies.lose(lost);
    await assert.rejects(reading, lost);
    snapshots.chunk(one, chunk(CHUNK_BYTES, copy.request)); // was on its way
    release();

    roster.remove(one);
    channel.take();
    await assert.rejects(
      snapshots.read(copy, () => undefined),
      WorkerLost,
    );
    await assert.rejects(snapshots.take({ member: one, content: Content.STATE, total: TOTAL }), WorkerLost);
    assert.deepEqual(channel.take(), []);
    const next = snapshots.take({ member: other, content: Content.STATE, total: TOTAL });
    await turn();
    snapshots.taken(other, COPY);
    assert.equal((await next).copy.member, other);
  });

  it('are lost as snapshots of the state if their worker is, and let the next one begin', async () => {
    for (let time = 0; time < 2; time++) {
      const taking = snapshots.takeState({ member: one, content: Content.STATE, total: TOTAL });
      await turn();
      snapshots.taken(one, COPY);
      const copy = await taking;
      const reading = copy.read(() => undefined);
      await turn();
      replies.lose(new WorkerLost(0, 'exited', 'gone'));
      await assert.rejects(reading, CopyLost);
    }
    assert.equal((await taken()).copy.member, one);
  });

  it('are waited for two minutes to be made, and two to be fetched', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout', 'setInterval'] });
    const taking = snapshots.take({ member: one, content: Content.STATE, total: TOTAL });
    await turn();
    t.mock.timers.tick(119_999);
    assert.deepEqual(late, []);
    t.mock.timers.tick(1);
    await assert.rejects(taking, WorkerLost);

    const { copy } = await taken();
    const reading = snapshots.read(copy, () => undefined);
    t.mock.timers.tick(120_000);
    await assert.rejects(reading, WorkerLost);
    assert.deepEqual(late, [
      [0, 120_000],
      [0, 120_000],
    ]);
  });
});
