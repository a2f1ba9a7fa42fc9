import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { openFiles } from '../src/common/process/open-files.js';
import { loadSocketCalls, type SocketCalls } from '../src/wire/door/socket-calls.js';
import { Link } from '../src/wire/link.js';
import { Listener, type ListenerOptions } from '../src/wire/listener.js';
import type { Message } from '../src/wire/message.js';
import type { LinkSecurity } from '../src/wire/security.js';
import { Sequence } from '../src/wire/sequence.js';
import { ADMITTED, LISTENER_SECURITY } from './support/wire/keys.js';
import { MESSAGES } from './support/wire/messages.js';
import { SilentPeers, type Silence } from './support/wire/silent-peers.js';
import { TrafficLog } from './support/wire/traffic-log.js';
import { until } from './support/wire/until.js';

const HELLO = {
  ...MESSAGES[0],
  kind: 'hello',
  body: { ...MESSAGES[0].body, pid: process.pid },
} as Message;

/** As long as a run's: its options alone have more than a thousand characters. */
const WELCOME = {
  ...MESSAGES[1],
  kind: 'welcome',
  body: { ...MESSAGES[1].body, options: `{"seed":${'1'.repeat(1_000)}}` },
} as Message;

const SILENT = 5;

/** The local names of this process's listening sockets. */
function listeningNames(calls: SocketCalls): (string | undefined)[] {
  return openFiles()
    .filter((file) => calls.isListening(file))
    .map((file) => calls.localName(file));
}

/** Sockets of the connections that a listening socket accepted. */
function connectionsOf(calls: SocketCalls, name: string | undefined): number[] {
  return openFiles().filter((file) => calls.localName(file) === name && !calls.isListening(file));
}

/** A listener that answers each hello, and a link that says hello. */
async function open(t: TestContext, address: string, options: ListenerOptions, keys?: LinkSecurity) {
  const traffic = new TrafficLog();
  const listener = await Listener.bind(address, traffic, { answersHello: true, ...options });
  t.after(() => listener.close());
  const hellos: string[] = [];
  void (async () => {
    for await (const { peer } of listener.messages()) {
      hellos.push(peer);
      await listener.send(peer, new Sequence(), WELCOME);
    }
  })();
  const events: string[] = [];
  const link = Link.connect(listener.address, new TrafficLog(), (event) => events.push(event), {
    security: keys,
  });
  t.after(() => link.close());
  await link.send(HELLO);
  await until('the hello', () => hellos.length === 1);
  return { listener, traffic, link, hellos, events };
}

async function newPath(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'dcgan-trainer-'));
  t.after(() => rm(folder, { recursive: true }));
  return `ipc://${folder}/socket`;
}

describe('peers that say nothing', { concurrency: true }, () => {
  const kinds: readonly Silence[] = ['nothing', 'half a greeting', 'ZeroMQ'];
  const anyPort = () => 'tcp://127.0.0.1:*';
  const listeners = {
    'over TCP': { address: anyPort, options: {}, keys: undefined },
    'over ipc': { address: newPath, options: {}, keys: undefined },
    'with an admitted key': {
      ...{ address: anyPort, options: { security: LISTENER_SECURITY }, keys: ADMITTED },
    },
  };
  for (const [name, { address, options, keys }] of Object.entries(listeners))
    for (const kind of keys ? kinds : [...kinds, 'handshake' as const])
      it(`${name}, after ${kind}, are hung up on and counted, and no other`, async (t) => {
        const handshakeTime = 800;
        const { listener, traffic, link, hellos, events } = await open(
          ...([t, await address(t), { ...options, handshakeTime }, keys] as const),
        );
        const silent = SilentPeers.open(t, listener.address, kind, SILENT, keys);
        await until('their end', () => silent.ended === SILENT);
        await until('their count', () => traffic.rejections.length >= SILENT);
        assert.equal(silent.admitted, SILENT);
        assert.deepEqual(new Set(traffic.rejections), new Set(['handshake']));
        await link.send(HELLO);
        await until('the message', () => hellos.length === 2);
        assert.deepEqual(events, ['connected']);
      });
});

describe('a listener whose places are taken', () => {
  it('lets others wait, and in as soon as there is room', async (t) => {
    const calls = await loadSocketCalls();
    for (const address of ['tcp://127.0.0.1:*', await newPath(t)]) {
      const before = listeningNames(calls);
      const { listener, events } = await open(t, address, { places: 4, handshakeTime: 500 });
      const [name] = listeningNames(calls).filter((name) => !before.includes(name));
      const silent = SilentPeers.open(t, listener.address, 'handshake', 7);
      let most = 0;
      await until('the end of all', () => {
        most = Math.max(most, connectionsOf(calls, name).length);
        return silent.ended === 7;
      });
      assert.deepEqual([silent.admitted, most], [7, 4]);
      assert.deepEqual(events, ['connected']);
    }
  });
});
