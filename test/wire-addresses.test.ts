import assert from 'node:assert/strict';
import { networkInterfaces } from 'node:os';
import { describe, it, type TestContext } from 'node:test';
import { isLoopback } from '../src/common/loopback.js';
import { UserError } from '../src/common/errors.js';
import { addressTowards } from '../src/worker/peers/peer-addresses.js';
import { PeerSockets } from '../src/worker/peers/peer-sockets.js';
import { Link } from '../src/wire/link.js';
import { Listener } from '../src/wire/listener.js';
import { DEFAULT_HEARTBEAT } from '../src/wire/socket-options.js';
import { ADMITTED, LISTENER_SECURITY } from './support/wire/keys.js';
import { MESSAGES } from './support/wire/messages.js';
import { TrafficLog } from './support/wire/traffic-log.js';
import { until } from './support/wire/until.js';

const MALFORMED: readonly (readonly [address: string, fault: RegExp])[] = [
  ['5555', /^is not an address: use tcp:\/\/HOST:PORT, such as \S+, or ipc:\/\/FILE$/],
  ['http://127.0.0.1:5555', /^is not an address/],
  ['pgm://127.0.0.1:5555', /^is not an address/],
  ['', /^is not an address/],
  ['ipc://', /^has no name after the slashes: use ipc:\/\/FILE$/],
  ['tcp://', /^has no host: use/],
  ['tcp://:5555', /^has no host: use/],
  ['tcp://127.0.0.1', /^has no port: use tcp:\/\/HOST:PORT, such as tcp:\/\/127\.0\.0\.1:5555$/],
  ['tcp://127.0.0.1:', /^has no port: use/],
  ['tcp://[::1]', /^has no port: use tcp:\/\/HOST:PORT, such as tcp:\/\/\[::1\]:5555$/],
  ['tcp://127.0.0.1:5599/', /^has the port "5599\/": use a number from [01] to 65535$/],
  ['tcp://127.0.0.1:65536', /^has the port "65536": use a number from [01] to 65535$/],
  ['tcp://127.0.0.1:71091', /^has the port "71091"/],
  ['tcp://127.0.0.1:0x15b3', /^has the port "0x15b3"/],
  ['tcp://127.0.0.1: 5555', /^has the port " 5555"/],
  ['tcp://127.0.0.1:-1', /^has the port "-1"/],
  ['tcp://127.0.0.1:0;10.0.0.1:5555', /^has the port "0;10\.0\.0\.1:5555"/],
  ['tcp://127.0.0.1/path:5555', /^is not tcp:\/\/HOST:PORT/],
  ['tcp://::1:5555', /^has an IPv6 address without brackets: use tcp:\/\/\[ADDRESS\]:PORT/],
  ['tcp://[::g]:5555', /^is not tcp:\/\/HOST:PORT/],
  ['tcp://[127.0.0.1]:5555', /^is not tcp:\/\/HOST:PORT/],
];

function expectFault(error: unknown, option: string, address: string, fault: RegExp): boolean {
  assert.ok(error instanceof UserError, String(error));
  const start = `${option} ${address} `;
  assert.equal(error.message.slice(0, start.length), start);
  assert.match(error.message.slice(start.length), fault);
  return true;
}

async function exchange(t: TestContext, bindTo: string): Promise<string> {
  const listener = await Listener.bind(bindTo, new TrafficLog(), { security: LISTENER_SECURITY });
  t.after(() => listener.close());
  const to = listener.address.replace('[::]', '[::1]');
  const link = Link.connect(to, new TrafficLog(), () => undefined, { security: ADMITTED });
  t.after(() => link.close());
  await link.send(MESSAGES[0]);
  for await (const { message } of listener.messages()) {
    assert.equal(message?.kind, 'hello');
    break;
  }
  return listener.address;
}

describe('a malformed address', () => {
  it('is refused at both ends by a line that names what is wrong, with keys or without', async () => {
    for (const [address, fault] of MALFORMED)
      for (const keys of [true, false]) {
        await assert.rejects(
          Listener.bind(address, new TrafficLog(), { security: keys ? LISTENER_SECURITY : undefined }),
          (error) => expectFault(error, '--listen', address, fault),
        );
        assert.throws(
          () =>
            Link.connect(address, new TrafficLog(), () => undefined, {
              security: keys ? ADMITTED : undefined,
            }),
          (error) => expectFault(error, '--coordinator', address, fault),
        );
      }
  });

  it('is also one that only a listener can have', () => {
    for (const [address, fault] of [
      ['tcp://127.0.0.1:0', /^has the port "0": use a number from 1 to 65535$/],
      ['tcp://127.0.0.1:*', /^has the port "\*"/],
      ['tcp://*:5555', /^has no host/],
    ] as const)
      assert.throws(
        () => Link.connect(address, new TrafficLog(), () => undefined),
        (error) => expectFault(error, '--coordinator', address, fault),
      );
  });
});

describe('IPv6', () => {
  it('carries messages at ::1, at all addresses, and in the form of IPv4', async (t) => {
    assert.match(await exchange(t, 'tcp://[::1]:*'), /^tcp:\/\/\[::1\]:\d+$/);
    assert.match(await exchange(t, 'tcp://[::]:*'), /^tcp:\/\/\[::\]:\d+$/);
    assert.match(await exchange(t, 'tcp://[::ffff:127.0.0.1]:0'), /^tcp:\/\/\[::ffff:127\.0\.0\.1\]:\d+$/);
  });

  it('carries messages at each of the addresses of this machine, link-local ones included', async (t) => {
    for (const [name, addresses = []] of Object.entries(networkInterfaces()))
      for (const { address, family, scopeid } of addresses)
        if (family === 'IPv6') await exchange(t, `tcp://[${address}${scopeid ? `%${name}` : ''}]:*`);
  });

  it('has loopback addresses of its own', () => {
    const loopback = ['::1', '0:0:0:0:0:0:0:1', '::1%lo', '::ffff:127.0.0.1', '::ffff:7f01:203'];
    const others = ['::', '::2', 'fe80::1%lo', '::ffff:10.0.0.1', '2001:db8::1', '127.0.0.1.example'];
    assert.deepEqual(loopback.filter(isLoopback), loopback);
    assert.deepEqual(others.filter(isLoopback), []);
  });

  it('is how other workers reach a worker whose coordinator is there', async (t) => {
    assert.equal(await addressTowards('tcp://[::1]:5555'), '::1');
    assert.equal(await addressTowards('tcp://127.0.0.1:5555'), '127.0.0.1');
    const received: string[] = [];
    const options = {
      coordinator: 'tcp://[::1]:5555',
      encrypted: true,
      folder: undefined,
      port: 0,
      heartbeat: DEFAULT_HEARTBEAT,
    };
    const [one, other] = await Promise.all(
      [0, 1].map(() =>
        PeerSockets.open({ ...options, onMessage: ({ message }) => received.push(message?.kind ?? 'none') }),
      ),
    );
    t.after(() => Promise.all([one.close(), other.close()]));
    const address = one.addresses.find((each) => each.startsWith('tcp:')) ?? '';
    assert.match(address, /^tcp:\/\/\[::1\]:\d+$/);
    one.admit([other.key]);
    const link = other.connect(address, one.key, () => undefined);
    t.after(() => link.close());
    await link.send(MESSAGES[0]);
    await until('the message', () => received.length > 0);
    assert.deepEqual(received, ['hello']);
  });
});
