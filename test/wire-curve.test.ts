import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as connectTcp, createServer, type AddressInfo } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { curveKeyPair, Dealer } from 'zeromq';
import { UserError } from '../src/common/errors.js';
import { Link } from '../src/wire/link.js';
import { Listener, type Received } from '../src/wire/listener.js';
import type { LinkSecurity } from '../src/wire/security.js';
import { decodeZ85 } from '../src/wire/z85.js';
import { answerZap } from '../src/wire/zap.js';
import { ADMITTED, LISTENER_SECURITY, linkSecurity } from './support/wire/keys.js';
import { MESSAGES } from './support/wire/messages.js';
import { TrafficLog } from './support/wire/traffic-log.js';
import { until } from './support/wire/until.js';

const HELLO = MESSAGES[0];
const LOCAL = 'tcp://127.0.0.1:*';

/** A listener, with keys where nothing else is said, and a link that must be served whatever others do. */
async function open(t: TestContext, { keys }: { keys: boolean } = { keys: true }) {
  const traffic = new TrafficLog();
  const listener = await Listener.bind(LOCAL, traffic, {
    security: keys ? LISTENER_SECURITY : undefined,
    handshakeTime: 500,
  });
  t.after(() => listener.close());
  const received: Received[] = [];
  void (async () => {
    for await (const each of listener.messages()) received.push(each);
  })();
  const { link, events } = join(t, listener.address, keys ? ADMITTED : undefined);
  let sent = 0;
  const expectService = async (): Promise<void> => {
    await link.send(HELLO);
    sent++;
    await until('the message', () => received.length >= sent);
    assert.equal(received.length, sent, 'of the others nothing came through');
    assert.deepEqual(events, ['connected']);
  };
  await expectService();
  return { listener, traffic, expectService };
}

/** A link, what happens to it, and why it was refused. */
function join(t: TestContext, address: string, security: LinkSecurity | undefined) {
  const events: string[] = [];
  const refusals: UserError[] = [];
  const link = Link.connect(address, new TrafficLog(), (event) => events.push(event), {
    security,
    onRefused: (reason) => refusals.push(reason),
  });
  t.after(() => link.close());
  return { link, events, refusals };
}

const portOf = (address: string): number => Number(address.split(':').at(-1));

/** Sends bytes over plain TCP, and hangs up when told to or when the other end does. */
async function sendRaw(address: string, bytes: Uint8Array, ending: 'hangs up' | 'waits'): Promise<void> {
  const socket = connectTcp(portOf(address), '127.0.0.1');
  const closed = new Promise<void>((resolve) => {
    // That the other end hangs up first is no failure.
    socket
      .on('error', () => undefined)
      .on('close', () => {
        resolve();
      });
  });
  socket.resume();
  await once(socket, 'connect');
  if (ending === 'hangs up') socket.end(bytes);
  else socket.write(bytes);
  await closed;
}

/** The first bytes that an admitted link sends: greeting, HELLO, INITIATE, its message. */
async function recordAdmitted(address: string): Promise<Buffer> {
  const bytes: Buffer[] = [];
  const proxy = createServer((client) => {
    const server = connectTcp(portOf(address), '127.0.0.1');
    client.on('data', (chunk: Buffer) => bytes.push(chunk));
    client.on('error', () => undefined).pipe(server);
    server.on('error', () => undefined).pipe(client);
  });
  await once(proxy.listen(0, '127.0.0.1'), 'listening');
  const { port } = proxy.address() as AddressInfo;
  const connected: string[] = [];
  const link = Link.connect(`tcp://127.0.0.1:${port}`, new TrafficLog(), (event) => connected.push(event), {
    security: ADMITTED,
  });
  await until('the recorded handshake', () => connected.includes('connected'));
  await link.close();
  proxy.close();
  await once(proxy, 'close');
  return Buffer.concat(bytes);
}

/** A greeting of ZMTP 3.0 that names a mechanism. */
function greeting(mechanism: string): Buffer {
  const bytes = Buffer.alloc(64);
  bytes.set([0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0x7f, 3, 0]);
  bytes.write(mechanism, 12);
  return bytes;
}

describe('a listener with keys', () => {
  it('admits a known key, encrypts, and counts the same bytes as without', async (t) => {
    const { listener, traffic } = await open(t);
    const bytes = await recordAdmitted(listener.address);
    assert.ok(!bytes.includes('gpu-0.example'), 'the host in the hello is not to be read');
    assert.ok(traffic.receivedBytes > 0);
    assert.deepEqual(traffic.rejections, []);
  });

  it('refuses and counts every other key, and says so where that can be said', async (t) => {
    const { listener, traffic, expectService } = await open(t);
    const unknown = join(t, listener.address, linkSecurity());
    const refusal = await until('the refusal', () => unknown.refusals.at(0));
    assert.match(refusal.message, /refused this worker: its key is not admitted there: put/);
    await until('its count', () => traffic.rejections.length === 1);

    const { secretKey } = curveKeyPair();
    for (const wrong of [
      { ...ADMITTED, serverKey: curveKeyPair().publicKey },
      { ...ADMITTED, secretKey },
    ]) {
      const before = traffic.rejections.length;
      const { link, events } = join(t, listener.address, wrong);
      await until('a count', () => traffic.rejections.length > before);
      await link.close();
      assert.ok(!events.includes('connected'));
    }
    assert.ok(traffic.rejections.every((reason) => reason === 'handshake'));
    await expectService();
  });

  it('refuses and counts who has no keys, or other security', async (t) => {
    const { listener, traffic, expectService } = await open(t);
    const plain = join(t, listener.address, undefined);
    const refusal = await until('the refusal', () => plain.refusals.at(0));
    assert.match(refusal.message, /one of the two uses keys and the other does not: give --keys to both/);
    await until('its count', () => traffic.rejections.length > 0);
    await plain.link.close();
    const before = traffic.rejections.length;
    const other = new Dealer({ linger: 0, plainUsername: 'worker', plainPassword: 'secret' });
    t.after(() => {
      other.close();
    });
    other.connect(listener.address);
    await until('the count of the other', () => traffic.rejections.length > before);
    await expectService();
  });

  it('refuses and counts the recorded bytes of an admitted link, whole, cut off or changed', async (t) => {
    const { listener, traffic, expectService } = await open(t);
    const recorded = await recordAdmitted(listener.address);
    assert.ok(recorded.length > 500);
    const changed = Buffer.from(recorded);
    changed[240] ^= 1; // in the HELLO's box
    const cuts = [1, 10, 11, 64, 65, 100, 263, 264, 400, recorded.length - 1];
    for (const bytes of [recorded, recorded, changed, ...cuts.map((end) => recorded.subarray(0, end))]) {
      const before = traffic.rejections.length;
      await sendRaw(listener.address, bytes, 'hangs up');
      await until(`the count of ${bytes.length} bytes`, () => traffic.rejections.length > before);
    }
    assert.ok(traffic.rejections.every((reason) => reason === 'handshake'));
    await expectService();
  });

  it('hangs up on who says nothing, or no more, and counts it', async (t) => {
    const { listener, traffic, expectService } = await open(t);
    const silences = [Buffer.alloc(0), greeting('CURVE').subarray(0, 30), greeting('CURVE')];
    await Promise.all(silences.map((bytes) => sendRaw(listener.address, bytes, 'waits')));
    await until('their counts', () => traffic.rejections.length === silences.length);
    await expectService();
  });

  it('counts what ZeroMQ drops without a word: other protocols, and its own of old', async (t) => {
    const { listener, traffic, expectService } = await open(t);
    const strangers = [
      Buffer.from('GET / HTTP/1.1\r\nHost: trainer\r\n\r\n'),
      Buffer.from('0100', 'hex'), // ZMTP 1.0
      Buffer.from('ff00000000000000017f01050000', 'hex'), // ZMTP 2.0
    ];
    for (const bytes of strangers) await sendRaw(listener.address, bytes, 'hangs up');
    await until('their counts', () => traffic.rejections.length === strangers.length);
    await expectService();
    assert.equal(traffic.rejections.length, strangers.length);
  });

  it('is alone with its keys: another in the process has others', async (t) => {
    const { listener } = await open(t);
    const others = { ...linkSecurity(), serverKey: '' };
    const server = curveKeyPair();
    const second = await Listener.bind(LOCAL, new TrafficLog(), {
      security: { secretKey: server.secretKey, admitted: new Set([others.publicKey]) },
    });
    t.after(() => second.close());
    const here = join(t, second.address, { ...others, serverKey: server.publicKey });
    await until('a connection', () => here.events.includes('connected'));
    const there = join(t, listener.address, linkSecurity(others));
    await until('a refusal', () => there.refusals.length > 0);
  });
});

describe('a listener without keys', () => {
  it('refuses and counts who has some, and the other is told', async (t) => {
    const { listener, traffic, expectService } = await open(t, { keys: false });
    const keyed = join(t, listener.address, ADMITTED);
    const refusal = await until('the refusal', () => keyed.refusals.at(0));
    assert.match(refusal.message, /one of the two uses keys and the other does not/);
    await until('its count', () => traffic.rejections.length > 0);
    assert.ok(traffic.rejections.every((reason) => reason === 'handshake'));
    await expectService();
  });
});

describe('an address beyond this machine', () => {
  const beyond = [
    'tcp://0.0.0.0:5555',
    'tcp://*:5555',
    'tcp://10.0.0.1:5555',
    'tcp://[::]:5555',
    'tcp://127.0.0.1.example:5555',
    'tcp://[::ffff:10.0.0.1]:5555',
    'tcp://[fe80::1%lo]:5555',
    'tcp://localhost.example:5555',
  ];

  it('is nowhere used without keys', async () => {
    for (const address of beyond) {
      await assert.rejects(
        Listener.bind(address, new TrafficLog()),
        (error) =>
          error instanceof UserError && /^--listen .* needs keys: make them with/.test(error.message),
        address,
      );
      // All addresses of this machine are nothing to connect to.
      if (address.includes('*')) continue;
      assert.throws(
        () => Link.connect(address, new TrafficLog(), () => undefined),
        (error) => error instanceof UserError && /^--coordinator .* needs keys: make/.test(error.message),
        address,
      );
    }
  });

  it('is none of this machine', async (t) => {
    for (const address of [
      ...['tcp://127.0.0.1:*', 'tcp://localhost:*', 'tcp://127.1.2.3:*'],
      ...['tcp://[::1]:*', 'tcp://[::ffff:127.0.0.1]:*'],
    ]) {
      const listener = await Listener.bind(address, new TrafficLog());
      t.after(() => listener.close());
      assert.match(listener.address, /^tcp:\/\/(127\.|\[::1\]|\[::ffff:127\.)/);
    }
  });
});

describe("the answer to ZeroMQ's question who may connect", () => {
  const request = (changes: Readonly<Record<number, string | Buffer>> = {}): Buffer[] =>
    ['1.0', 'id', 'domain', '127.0.0.1', '', 'CURVE', decodeZ85(ADMITTED.publicKey) ?? ''].map((frame, i) =>
      Buffer.from(changes[i] ?? frame),
    );
  const answer = (frames: Buffer[]): string[] =>
    answerZap(frames, 'domain', LISTENER_SECURITY.admitted).map(String);

  it('is 200 for an admitted key, and 400 for all else', () => {
    assert.deepEqual(answer(request()), ['1.0', 'id', '200', 'OK', '', '']);
    const key = decodeZ85(ADMITTED.publicKey) ?? Buffer.alloc(0);
    for (const frames of [
      request({ 0: '2.0' }),
      request({ 2: 'another' }),
      request({ 5: 'NULL' }),
      request({ 5: 'PLAIN' }),
      request({ 6: key.subarray(1) }),
      request({ 6: Buffer.concat([key, Buffer.alloc(4)]) }),
      request({ 6: Buffer.alloc(32) }),
      request({ 6: ADMITTED.publicKey }),
      request().slice(0, 6),
      [...request(), Buffer.alloc(0)],
      [Buffer.from('1.0')],
    ])
      assert.equal(answer(frames)[2], '400');
  });
});
