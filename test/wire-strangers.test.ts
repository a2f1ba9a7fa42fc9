import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { Dealer } from 'zeromq';
import { randomStream } from '../src/common/random.js';
import { encode } from '../src/wire/codec.js';
import { Link } from '../src/wire/link.js';
import { Listener, type Received } from '../src/wire/listener.js';
import { Sequence } from '../src/wire/sequence.js';
import { MESSAGES } from './support/wire/messages.js';
import { TrafficLog } from './support/wire/traffic-log.js';
import { until } from './support/wire/until.js';

const HELLO = MESSAGES[0];

/** A listener, a link whose messages must go through whatever strangers do, and what the listener saw. */
async function open(t: TestContext) {
  const traffic = new TrafficLog();
  const listener = await Listener.bind('tcp://127.0.0.1:*', traffic);
  t.after(() => listener.close());
  const received: Received[] = [];
  void (async () => {
    for await (const each of listener.messages()) if (each.message) received.push(each);
  })();
  const events: string[] = [];
  const link = Link.connect(listener.address, new TrafficLog(), (event) => events.push(event));
  t.after(() => link.close());
  let sent = 0;
  const expectService = async (): Promise<void> => {
    await link.send(HELLO);
    sent++;
    await until('the message', () => received.length >= sent);
    assert.equal(received.length, sent, 'of the strangers nothing came through');
    assert.ok(received.every(({ peer }) => peer === received[0].peer));
    assert.deepEqual(events, ['connected']);
  };
  await expectService();
  return { listener, traffic, expectService };
}

/** Sends bytes over plain TCP and hangs up. */
async function sendRaw(address: string, bytes: Uint8Array): Promise<void> {
  const socket = connectTcp(Number(address.split(':').at(-1)), '127.0.0.1');
  socket.on('error', () => undefined).resume();
  await once(socket, 'connect');
  const closed = once(socket, 'close');
  socket.end(bytes);
  await closed;
}

describe('a stranger at the port', () => {
  it('that sends random bytes over TCP is counted and costs nobody else', async (t) => {
    const { listener, traffic, expectService } = await open(t);
    const stream = randomStream(3, 'strangers');
    for (let stranger = 0; stranger < 30; stranger++) {
      const before = traffic.rejections.length;
      const bytes = Uint8Array.from({ length: uniformInt(stream, 64, 4000) }, () =>
        uniformInt(stream, 0, 254),
      );
      bytes[0] = uniformInt(stream, 1, 254); // see below for 0xff, by which ZeroMQ's own greeting begins
      await sendRaw(listener.address, bytes);
      await until(`stranger ${stranger} to be counted`, () => traffic.rejections.length > before);
    }
    assert.ok(traffic.rejections.every((reason) => reason === 'handshake' || reason === 'undecodable'));
    await expectService();
  });

  it('that speaks HTTP, TLS or half of a greeting is counted and costs nobody else', async (t) => {
    const { listener, traffic, expectService } = await open(t);
    const greeting = Buffer.concat([Buffer.from('ff00000000000000017f0300', 'hex'), Buffer.alloc(52)]);
    for (const bytes of [
      Buffer.from('GET / HTTP/1.1\r\nHost: trainer\r\n\r\n'),
      Buffer.from('160301020001000', 'hex'),
      greeting.subarray(0, 20),
      greeting, // no security mechanism is named in it
    ]) {
      const before = traffic.rejections.length;
      await sendRaw(listener.address, bytes);
      await until('a count', () => traffic.rejections.length > before);
    }
    await expectService();
  });

  it('that speaks ZeroMQ but not our protocol is counted and costs nobody else', async (t) => {
    const { listener, traffic, expectService } = await open(t);
    const stranger = new Dealer({ linger: 0 });
    t.after(() => {
      stranger.close();
    });
    stranger.connect(listener.address);
    const [number, envelope, checksum] = new Sequence().number(encode(HELLO));
    const garbage = [
      [Buffer.from('hello')],
      [new Uint8Array(0)],
      [number, new Uint8Array(1_000_000), new Uint8Array(4)],
      [number, envelope.subarray(1), checksum],
    ];
    for (const frames of garbage) await stranger.send(frames);
    await until('all to be counted', () => traffic.rejections.length === garbage.length);
    assert.deepEqual(traffic.rejections, ['undecodable', 'undecodable', 'undecodable', 'undecodable']);
    await expectService();
  });
});
