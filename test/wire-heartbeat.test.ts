import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { describe, it, type TestContext } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Link } from '../src/wire/link.js';
import { Listener, PeerGone, type Received } from '../src/wire/listener.js';
import { Sequence } from '../src/wire/sequence.js';
import { MESSAGES } from './support/wire/messages.js';
import { TrafficLog } from './support/wire/traffic-log.js';
import { until } from './support/wire/until.js';

const HEARTBEAT = { interval: 50, timeout: 500 };
const PROGRAM = fileURLToPath(new URL('./support/wire/hello-process.js', import.meta.url));

/** A listener and a process of its own that has said hello to it. */
async function open(t: TestContext): Promise<{ listener: Listener; peer: string; child: ChildProcess }> {
  const listener = await Listener.bind('tcp://127.0.0.1:*', new TrafficLog(), { heartbeat: HEARTBEAT });
  t.after(() => listener.close());
  const received: Received[] = [];
  void (async () => {
    for await (const each of listener.messages()) received.push(each);
  })();
  const heartbeat = [HEARTBEAT.interval, HEARTBEAT.timeout].map(String);
  const child = spawn(process.execPath, [PROGRAM, listener.address, ...heartbeat], { stdio: 'ignore' });
  const exited = once(child, 'exit');
  t.after(async () => {
    child.kill('SIGKILL');
    await exited;
  });
  const { peer } = await until('the hello', () => received.at(0));
  return { listener, peer, child };
}

/** Whether a message finds its connection. */
function isThere(listener: Listener, peer: string): Promise<boolean> {
  return listener.send(peer, new Sequence(), MESSAGES[0]).then(
    () => true,
    (error: unknown) => {
      assert.ok(error instanceof PeerGone);
      return false;
    },
  );
}

describe('a heartbeat', () => {
  it('ends the connection of a process that stands still, and keeps that of one that only says nothing', async (t) => {
    const { listener, peer, child } = await open(t);
    await pause(3 * HEARTBEAT.timeout);
    assert.equal(await isThere(listener, peer), true);
    child.kill('SIGSTOP');
    await until('the connection to end', async () => !(await isThere(listener, peer)));
  });

  it('is not needed for a process that was killed: its connection ends with it', async (t) => {
    const { listener, peer, child } = await open(t);
    child.kill('SIGKILL');
    await until('the connection to end', async () => !(await isThere(listener, peer)));
  });

  it("tells a worker that its coordinator's process stands still", async (t) => {
    // The coordinator's end in a process that can be stopped: any ZeroMQ socket beats its heart.
    const script = `
      const { Router } = await import(${JSON.stringify(import.meta.resolve('zeromq'))});
      const socket = new Router();
      await socket.bind('tcp://127.0.0.1:*');
      console.log(socket.lastEndpoint);
      for await (const frames of socket) void frames;`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const exited = once(child, 'exit');
    t.after(async () => {
      child.kill('SIGKILL');
      await exited;
    });
    const [address] = (await once(child.stdout.setEncoding('utf8'), 'data')) as [string];
    const events: string[] = [];
    const link = Link.connect(address.trim(), new TrafficLog(), (event) => events.push(event), {
      heartbeat: HEARTBEAT,
    });
    t.after(() => link.close());
    await until('the connection', () => events.includes('connected'));
    child.kill('SIGSTOP');
    await until('its end', () => events.includes('disconnected'));
  });
});
