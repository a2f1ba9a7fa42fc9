import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Dealer } from 'zeromq';
import { UserError } from '../src/common/errors.js';
import { Link } from '../src/wire/link.js';
import { Listener, PeerGone } from '../src/wire/listener.js';
import { sharedBytes } from '../src/wire/message.js';
import { byteLength, encode, MAX_FRAME_BYTES } from '../src/wire/codec.js';
import { NUMBER_BYTES, Sequence } from '../src/wire/sequence.js';
import { connect, listen } from './support/wire/ends.js';
import { LISTENER_SECURITY } from './support/wire/keys.js';
import { MESSAGES, plain } from './support/wire/messages.js';
import { TrafficLog } from './support/wire/traffic-log.js';
import { until } from './support/wire/until.js';

const HELLO = MESSAGES[0];

describe('a listener and its links', () => {
  it('exchange every kind of message, and count the same bytes', async (t) => {
    const { listener, traffic, received, send } = await listen(t);
    const one = connect(t, listener.address);
    const other = connect(t, listener.address);
    const bytes = MESSAGES.reduce(
      (sum, message) => sum + NUMBER_BYTES + byteLength(encode(message)) + sharedBytes(message),
      0,
    );

    await Promise.all(MESSAGES.map((message) => one.link.send(message)));
    await until('all messages', () => received.length === MESSAGES.length);
    assert.deepEqual(
      received.map(({ message }) => plain(message)),
      MESSAGES.map(plain),
    );
    const { peer } = received[0];
    assert.ok(received.every((each) => each.peer === peer));
    assert.deepEqual([one.traffic.sentBytes, traffic.receivedBytes], [bytes, bytes]);

    await other.link.send(HELLO);
    const otherPeer = (await until('the other hello', () => received.at(MESSAGES.length))).peer;
    assert.notEqual(otherPeer, peer);

    await Promise.all(MESSAGES.map((message) => send(peer, message)));
    await until('all answers', () => one.received.length === MESSAGES.length);
    assert.deepEqual(one.received.map(plain), MESSAGES.map(plain));
    assert.deepEqual([traffic.sentBytes, one.traffic.receivedBytes], [bytes, bytes]);
    assert.deepEqual(other.received, []);
    assert.deepEqual(one.events, ['connected']);
  });

  it('reject two messages in one', async (t) => {
    const { listener, traffic, received } = await listen(t);
    const stranger = new Dealer({ linger: 0 });
    t.after(() => {
      stranger.close();
    });
    stranger.connect(listener.address);
    const [number] = new Sequence().number([]);
    await stranger.send([number, ...encode(HELLO), ...encode(HELLO)]);
    await stranger.send([number, ...encode(HELLO)]);
    await until('the hello by itself', () => received.length > 0);
    assert.equal(received.length, 1);
    assert.deepEqual(traffic.rejections, ['undecodable']);
  });

  it('know when the other end is gone', async (t) => {
    const { listener, received, send } = await listen(t);
    const { link } = connect(t, listener.address);
    await link.send(HELLO);
    const { peer } = await until('the hello', () => received.at(0));
    await link.close();
    const gone = await until('PeerGone', () =>
      send(peer, HELLO).then(
        () => undefined,
        (error: unknown) => error,
      ),
    );
    assert.ok(gone instanceof PeerGone);
    assert.equal(gone.peer, peer);
    await assert.rejects(send('00ff', HELLO), PeerGone);

    const second = connect(t, listener.address);
    await until('a connection', () => second.events.includes('connected'));
    await listener.close();
    await until('its end', () => second.events.includes('disconnected'));
  });

  it('read what somebody said last before they know why he is gone', async (t) => {
    const { listener, received, send } = await listen(t);
    const { link } = connect(t, listener.address);
    await link.send(HELLO);
    const { peer } = await until('the hello', () => received.at(0));
    for (const message of MESSAGES) void link.send(message);
    await link.close();
    // ZeroMQ's threads bring all that and the end of the connection while this one reads nothing.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500);
    await assert.rejects(send(peer, HELLO), PeerGone);
    await listener.lastWords();
    assert.equal(received.length, 1 + MESSAGES.length);
  });

  it('close the connection of who sends more than a message may have, and no other', async (t) => {
    const { listener, received, send } = await listen(t);
    const { link, events, received: answers } = connect(t, listener.address);
    await link.send(HELLO);
    const { peer } = await until('the hello', () => received.at(0));
    const stranger = new Dealer({ linger: 0 });
    t.after(() => {
      stranger.close();
    });
    let disconnected = false;
    stranger.events.on('disconnect', () => {
      disconnected = true;
    });
    stranger.connect(listener.address);
    await stranger.send(new Uint8Array(MAX_FRAME_BYTES + 1));
    await until('the end of the connection', () => disconnected);
    await send(peer, HELLO);
    await until('an answer', () => answers.length > 0);
    assert.deepEqual(events, ['connected']);
    assert.equal(received.length, 1);
  });

  it('close although nobody takes what a link sends', async (t) => {
    const link = Link.connect('tcp://127.0.0.1:1', new TrafficLog(), () => undefined);
    // More than a link holds: the last sends wait for a connection that never comes.
    const sends = Array.from({ length: 100 }, () => link.send(HELLO).then(() => true));
    const outcomes = Promise.allSettled(sends);
    await link.close();
    t.after(() => link.close()); // twice does no harm
    const lost = (await outcomes).filter(({ status }) => status === 'rejected');
    assert.ok(lost.length > 0, 'the last sends were given up');
  });

  it('are refused an address in one line that says why', async (t) => {
    const { listener } = await listen(t);
    const refused = (address: string): Promise<string> =>
      Listener.bind(address, new TrafficLog(), { security: LISTENER_SECURITY }).then(
        () => assert.fail(`${address} was taken`),
        (error: unknown) => {
          assert.ok(error instanceof UserError);
          return error.message;
        },
      );
    assert.equal(
      await refused(listener.address),
      `cannot listen for workers at ${listener.address}: it is taken; give another with --listen`,
    );
    assert.match(
      await refused('tcp://192.0.2.1:5555'),
      /: it is not an address of this machine; give another/,
    );
  });
});
