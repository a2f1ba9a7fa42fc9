import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, it } from 'node:test';
import { PendingReplies } from '../src/coordinator/fleet/pending-replies.js';
import { MessageDispatcher, type MessageDispatcherParts } from '../src/coordinator/fleet/message-dispatch.js';
import { WorkerChannel } from '../src/coordinator/fleet/worker-channel.js';
import { Roster } from '../src/coordinator/fleet/members/roster.js';
import { RunMetrics } from '../src/monitoring/metrics/run-metrics.js';
import { Content, Encoding, type Bodies, type Header } from '../src/wire/message.js';
import { chunkFor, chunkOf, sharedChunkAt } from '../src/wire/segments/shared-chunk.js';
import { Segments } from '../src/wire/segments/segments.js';
import { DEFAULT_HEARTBEAT } from '../src/wire/socket-options.js';
import { Sequence } from '../src/wire/sequence.js';
import { memberOf } from './support/fake-worker-channel.js';
import { connect } from './support/wire/ends.js';
import { until } from './support/wire/until.js';

const ROUND = { run: 'a run', generation: 1, step: 3, phase: 'generator' } as const satisfies Header;
const PAYLOAD = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);

function chunk(content: Content, payload = PAYLOAD): Bodies['chunk'] {
  return { content, shard: 0, offset: 0, total: 8, request: 0, encoding: Encoding.PLAIN, payload };
}

describe('a coordinator that shares memory with one of its workers', { timeout: 30_000 }, () => {
  it('shows that one what it sends to the others, and counts the bytes of both', async (t) => {
    const metrics = new RunMetrics({ batchSize: 16 });
    const roster = new Roster(2, metrics);
    const channel = await WorkerChannel.open({
      ...{ address: `ipc://@test-${randomUUID()}`, heartbeat: DEFAULT_HEARTBEAT, run: ROUND.run },
      ...{
        roster,
        metrics,
        openSegments: (room) => Segments.open(room),
        room: 1024,
        onGone: () => undefined,
      },
    });
    t.after(() => channel.close());
    const { segments } = channel;
    const near = await Segments.open(1024);
    t.after(() => {
      near.close();
    });
    assert.ok(segments);
    segments.readOnly([near.name]);
    near.readOnly([segments.name]);

    const said: [number, number, ...number[]][] = [];
    const replies = new PendingReplies();
    const losses: string[] = [];
    const dispatcher = new MessageDispatcher({
      ...{ channel, roster, metrics, replies, recovery: { generation: 1 } },
      admission: {
        hello: (peer: string, number: number) => {
          const sequence = new Sequence();
          sequence.require(number);
          const isNear = roster.all().length === 0;
          const member = { ...memberOf(isNear ? 0 : 1), peer, sequence, segment: isNear ? near.name : '' };
          roster.add(member);
          return Promise.resolve();
        },
        heard: () => undefined,
        lose: (_: unknown, __: unknown, cause: string) => losses.push(cause),
      },
      rounds: {
        addGradient: ({ number }: { number: number }, { body }: { body: Bodies['chunk'] }) => {
          said.push([number, body.total, ...body.payload]);
        },
      },
    } as unknown as MessageDispatcherParts);
    void dispatcher.read();
    const hello = { ...ROUND, phase: undefined, step: 0, run: '', kind: 'hello' } as const;
    const body = { protocol: 99, host: 'h', pid: 1, process: 'p', secret: '' };
    const links = [connect(t, channel.address), connect(t, channel.address)];
    for (const [index, { link }] of links.entries()) {
      await link.send({ ...hello, body });
      await until('the member', () => roster.all().length === index + 1);
    }

    const { sent, received } = channel.traffic;
    await channel.share(roster.all(), chunk(Content.AVERAGE), ROUND);
    await until('both', () => links.every((each) => each.received.length === 1));
    const [[one], [other]] = links.map((each) => each.received);
    assert.ok(one.kind === 'sharedChunk' && other.kind === 'chunk');
    assert.deepEqual(chunkOf(near, segments.name, one).body.payload, PAYLOAD);
    assert.deepEqual(other.body.payload, Buffer.from(PAYLOAD));
    assert.ok(channel.traffic.sent - sent > 2 * PAYLOAD.length);

    await links[0].link.send(chunkFor(near, segments.name, ROUND, chunk(Content.GRADIENT)));
    await links[1].link.send(chunkFor(undefined, segments.name, ROUND, chunk(Content.GRADIENT)));
    await until('both gradients', () => said.length === 2);
    assert.deepEqual(said, [
      [0, 8, ...PAYLOAD],
      [1, 8, ...PAYLOAD],
    ]);
    assert.ok(channel.traffic.received - received > 2 * PAYLOAD.length);

    // A place of the near one's that cannot be, in a content that is no gradient, and of one that shares nothing.
    const place = near.placeFor(segments.name, PAYLOAD);
    assert.ok(place);
    const at = (content: Content, changes: object): Promise<void> =>
      links[0].link.send({
        ...ROUND,
        kind: 'sharedChunk',
        body: { ...sharedChunkAt(chunk(content), place), ...changes },
      });
    await at(Content.GRADIENT, { at: 1_000_000 });
    await at(Content.AVERAGE, {});
    await links[1].link.send({
      ...{ ...ROUND, kind: 'sharedChunk' },
      body: sharedChunkAt(chunk(Content.GRADIENT), place),
    });
    await until('three losses', () => losses.length === 3);
    for (const why of [
      /8 bytes at 1000000 of a segment of 5120/,
      /a place of content 2/,
      /a place in a segment that is not read here/,
    ])
      assert.ok(
        losses.some((loss) => why.test(loss)),
        losses.join('\n'),
      );
    assert.equal(said.length, 2);
  });
});
