import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Dealer } from 'zeromq';
import { CHUNK_BYTES, encode } from '../src/wire/codec.js';
import { Link } from '../src/wire/link.js';
import { Listener, PeerGone, type Received } from '../src/wire/listener.js';
import { Content, type Message } from '../src/wire/message.js';
import { Sequence } from '../src/wire/sequence.js';
import { MESSAGES } from './support/wire/messages.js';
import { TrafficLog } from './support/wire/traffic-log.js';
import { until } from './support/wire/until.js';

const HELLO = MESSAGES[0];
const WAITING = 16;

const CHUNK: Message = {
  ...{ run: 'a run', generation: 1, step: 1, phase: undefined, kind: 'chunk' },
  body: {
    ...{ content: Content.IMAGES, shard: 0, offset: 0, total: CHUNK_BYTES, request: 0 },
    payload: new Uint8Array(CHUNK_BYTES),
  },
};

describe('a peer that asks and never reads', () => {
  it('is given up when so many messages wait for it, while others are served', async (t) => {
    const traffic = new TrafficLog();
    const listener = await Listener.bind('tcp://127.0.0.1:*', traffic, { sendHighWaterMark: WAITING });
    t.after(() => listener.close());
    const received: Received[] = [];
    void (async () => {
      for await (const each of listener.messages()) received.push(each);
    })();
    // Its own queue holds one message; what it does not take from that, TCP holds up.
    const deaf = new Dealer({ receiveHighWaterMark: 1, linger: 0 });
    t.after(() => {
      deaf.close();
    });
    deaf.connect(listener.address);
    await deaf.send([...new Sequence().number(encode(HELLO))]);
    const { peer } = await until('its hello', () => received.at(0));

    // What lies on the way is limited by the kernel, at some MB; what waits here, by us.
    const mostOnTheWay = 64;
    const sequence = new Sequence();
    let taken = 0;
    const failure = await until('its end', async () => {
      try {
        await listener.send(peer, sequence, CHUNK);
        taken++;
        assert.ok(taken <= WAITING + mostOnTheWay, 'they pile up');
        return undefined;
      } catch (error) {
        return error as Error;
      }
    });
    assert.ok(failure instanceof PeerGone);
    assert.equal(failure.message, `peer ${peer} takes nothing any more`);
    assert.ok(taken >= WAITING);

    const link = Link.connect(listener.address, new TrafficLog(), () => undefined);
    t.after(() => link.close());
    await link.send(HELLO);
    const other = (await until('the other hello', () => received.at(1))).peer;
    await listener.send(other, new Sequence(), CHUNK);
    for await (const { kind } of link.messages()) {
      assert.equal(kind, 'chunk');
      break;
    }
  });
});
