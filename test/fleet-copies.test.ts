import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import { beforeEach, describe, it } from 'node:test';
import { CopyLost } from '../src/model/state-source.js';
import { Copies } from '../src/coordinator/fleet/state-transfer/snapshot-requests.js';
import { Expectations } from '../src/coordinator/fleet/pending-waits.js';
import { Roster, type Member } from '../src/coordinator/fleet/members/roster.js';
import { WorkerLost } from '../src/coordinator/fleet/worker-lost.js';
import { RunMetrics } from '../src/monitoring/metrics/run-metrics.js';
import { CHUNK_BYTES } from '../src/wire/codec.js';
import { Content, type Bodies } from '../src/wire/message.js';
import { Rejection } from '../src/wire/rejection.js';
import { FakePost, memberOf } from './support/fake-post.js';

const TOTAL = 2 * CHUNK_BYTES + 100;
const COPY = { content: Content.STATE, total: TOTAL, digest: 'd' } as const;

describe('copies of what workers hold', () => {
  let post: FakePost;
  let expectations: Expectations;
  let roster: Roster;
  let copies: Copies;
  let late: [number, number][];
  let [one, other]: Member[] = [];

  beforeEach(() => {
    post = new FakePost();
    expectations = new Expectations();
    roster = new Roster(2, new RunMetrics({ batchSize: 16 }));
    late = [];
    [one, other] = [memberOf(0), memberOf(1)];
    for (const member of [one, other]) roster.add(member);
    copies = new Copies(post.asPost, expectations, roster, ({ number }, time) => {
      late.push([number, time]);
      expectations.lose(new WorkerLost(number, 'overdue', 'late'));
    });
  });

  function chunk(offset: number, request: number, total = TOTAL): Bodies['chunk'] {
    const payload = new Uint8Array(Math.min(CHUNK_BYTES, total - offset)).fill(offset / CHUNK_BYTES + 1);
    return { content: Content.STATE, shard: 0, offset, total, request, payload };
  }

  async function taken() {
    const taking = copies.take({ member: one, content: Content.STATE, total: TOTAL });
    await turn();
    copies.taken(one, COPY);
    const result = await taking;
    post.take();
    return result;
  }

  /** What a worker was asked for: offset and request of each chunk. */
  function asked(): [number, number][] {
    return post.take().map((letter) => {
      assert.equal(letter.kind, 'fetch');
      return [letter.body.offset, letter.body.request];
    });
  }

  it('are asked of one worker, and taken from nobody else and as nothing else', async () => {
    const taking = copies.take({ member: one, content: Content.STATE, total: TOTAL, withDigest: true });
    await turn();
    assert.deepEqual(post.take(), [
      { peer: 'peer-0', kind: 'snapshot', body: { content: Content.STATE, withDigest: true } },
    ]);
    for (const [member, said] of [
      [other, COPY],
      [one, { ...COPY, content: Content.SAMPLES }],
      [one, { ...COPY, total: TOTAL + 4 }],
    ] as const)
      assert.throws(() => {
        copies.taken(member, said);
      }, Rejection);
    copies.taken(one, COPY);
    const { copy } = await taking;
    assert.deepEqual([copy.member, copy.total, copy.digest], [one, TOTAL, 'd']);
    assert.throws(() => {
      copies.taken(one, COPY);
    }, Rejection);
  });

  it('are made one after the other', async () => {
    const { release } = await taken();
    const next = copies.take({ member: other, content: Content.SAMPLES, total: 8 });
    await turn();
    assert.deepEqual(post.take(), []);
    release();
    await turn();
    assert.equal(post.take().length, 1);
    copies.taken(other, { content: Content.SAMPLES, total: 8, digest: '' });
    assert.equal((await next).copy.member, other);
  });

  it('are fetched whole and in order', async () => {
    const { copy } = await taken();
    const into = new Uint8Array(TOTAL);
    const reading = copies.read(copy, (bytes, offset) => {
      into.set(bytes, offset);
    });
    const offsets = [0, CHUNK_BYTES, 2 * CHUNK_BYTES];
    assert.deepEqual(
      asked(),
      offsets.map((offset) => [offset, copy.request]),
    );
    for (const offset of offsets) copies.chunk(one, chunk(offset, copy.request));
    await reading;
    assert.deepEqual([into[0], into[CHUNK_BYTES], into[TOTAL - 1]], [1, 2, 3]);
    assert.deepEqual(asked(), []);
    // What comes once more is of a reading that is over.
    copies.chunk(one, chunk(0, copy.request));
  });

  it('are no business of those who were not asked', async () => {
    const { copy } = await taken();
    assert.throws(() => {
      copies.chunk(one, chunk(0, copy.request + 1));
    }, Rejection);
    let bytes = 0;
    const reading = copies.read(copy, (part) => {
      bytes += part.length;
    });
    copies.chunk(other, chunk(0, copy.request));
    await turn();
    assert.equal(bytes, 0);
    for (const offset of [0, CHUNK_BYTES, 2 * CHUNK_BYTES]) copies.chunk(one, chunk(offset, copy.request));
    await reading;
    assert.equal(bytes, TOTAL);
  });

  it('are lost with their worker, and the next one begins', async () => {
    const lost = new WorkerLost(0, 'exited', 'gone');
    const taking = copies.take({ member: one, content: Content.STATE, total: TOTAL });
    await turn();
    expectations.lose(lost);
    await assert.rejects(taking, lost);
    assert.throws(() => {
      copies.taken(one, COPY);
    }, Rejection);

    const { copy, release } = await taken();
    const reading = copies.read(copy, () => undefined);
    copies.chunk(one, chunk(0, copy.request));
    expectations.lose(lost);
    await assert.rejects(reading, lost);
    copies.chunk(one, chunk(CHUNK_BYTES, copy.request)); // was on its way
    release();

    roster.remove(one);
    post.take();
    await assert.rejects(
      copies.read(copy, () => undefined),
      WorkerLost,
    );
    await assert.rejects(copies.take({ member: one, content: Content.STATE, total: TOTAL }), WorkerLost);
    assert.deepEqual(post.take(), []);
    const next = copies.take({ member: other, content: Content.STATE, total: TOTAL });
    await turn();
    copies.taken(other, COPY);
    assert.equal((await next).copy.member, other);
  });

  it('are lost as copies of the state if their worker is, and let the next one begin', async () => {
    for (let time = 0; time < 2; time++) {
      const taking = copies.takeState({ member: one, content: Content.STATE, total: TOTAL });
      await turn();
      copies.taken(one, COPY);
      const copy = await taking;
      const reading = copy.read(() => undefined);
      await turn();
      expectations.lose(new WorkerLost(0, 'exited', 'gone'));
      await assert.rejects(reading, CopyLost);
    }
    assert.equal((await taken()).copy.member, one);
  });

  it('are waited for two minutes to be made, and two to be fetched', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout', 'setInterval'] });
    const taking = copies.take({ member: one, content: Content.STATE, total: TOTAL });
    await turn();
    t.mock.timers.tick(119_999);
    assert.deepEqual(late, []);
    t.mock.timers.tick(1);
    await assert.rejects(taking, WorkerLost);

    const { copy } = await taken();
    const reading = copies.read(copy, () => undefined);
    t.mock.timers.tick(120_000);
    await assert.rejects(reading, WorkerLost);
    assert.deepEqual(late, [
      [0, 120_000],
      [0, 120_000],
    ]);
  });
});
