import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MessageDispatcher, type MessageDispatcherParts } from '../src/coordinator/fleet/message-dispatch.js';
import { Roster, type Member } from '../src/coordinator/fleet/members/roster.js';
import { RunMetrics } from '../src/monitoring/metrics/run-metrics.js';
import type { Received } from '../src/wire/listener.js';
import { Content, type Bodies, type BodyKind, type Message } from '../src/wire/message.js';
import { memberOf } from './support/fake-worker-channel.js';

const BODIES: { readonly [Kind in BodyKind]?: Bodies[Kind] } = {
  fetch: { content: Content.IMAGES, shard: 0, offset: 0, request: 1 },
  unreachable: { worker: 1, reason: 'r' },
  prepared: {},
  failure: { reason: 'r' },
  ping: {},
};

/** What a coordinator does with messages of a worker in this state: what it serves, and whom it loses. */
async function take(state: Member['state'], kinds: readonly BodyKind[]) {
  const metrics = new RunMetrics({ batchSize: 16 });
  const roster = new Roster(2, metrics);
  roster.add({ ...memberOf(0), state });
  const done: string[] = [];
  const received = kinds.map((kind, index): Received => {
    const header = { run: 'r', generation: 1, step: 0, phase: undefined };
    return { peer: 'peer-0', number: index + 1, message: { ...header, kind, body: BODIES[kind] } as Message };
  });
  const dispatcher = new MessageDispatcher({
    ...{ roster, metrics, recovery: { generation: 1, isGrouped: () => true, prepared: () => undefined } },
    channel: {
      // eslint-disable-next-line @typescript-eslint/require-await -- as that of a socket
      messages: async function* () {
        yield* received;
      },
      requireOurs: () => undefined,
    },
    admission: {
      heard: () => undefined,
      lose: (_: unknown, reason: string, cause: string) => done.push(`lost: ${reason}, ${cause}`),
    },
    reassignment: { fetch: () => Promise.resolve(done.push('fetch')).then(() => undefined) },
    onPrepared: () => done.push('prepared'),
    onUnreachable: () => done.push('unreachable'),
  } as unknown as MessageDispatcherParts);
  await dispatcher.read();
  return done;
}

describe('what a worker asks for', () => {
  it('is refused before it is ready, images above all', async () => {
    for (const kind of ['fetch', 'unreachable', 'prepared'] as const)
      assert.deepEqual(await take('joining', [kind]), [
        `lost: garbled, sent an invalid message: ${kind} of a worker that is not ready`,
      ]);
    assert.deepEqual(await take('joining', ['ping', 'failure']), ['lost: exited, failed: r']);
  });

  it('is done once it is ready', async () => {
    assert.deepEqual(await take('ready', ['fetch', 'unreachable', 'prepared']), [
      'fetch',
      'unreachable',
      'prepared',
    ]);
  });
});
