import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it, type TestContext } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { encode } from '../src/wire/codec.js';
import { PeerGone } from '../src/wire/listener.js';
import { Content, type Message } from '../src/wire/message.js';
import { connect, listen } from './support/wire/ends.js';
import { FaultPlan, type FaultRule } from './support/wire/fault-plan.js';
import { MessageProxy } from './support/wire/message-proxy.js';
import { MESSAGES } from './support/wire/messages.js';
import { TcpProxy } from './support/wire/tcp-proxy.js';
import { until } from './support/wire/until.js';

const MIB = 1024 * 1024;

/** The nth of many messages: its step tells it apart. */
function numbered(step: number): Message {
  return {
    run: 'r',
    generation: 1,
    step,
    phase: 'generator',
    kind: 'shardDone',
    body: { shard: 0, computeSeconds: 0 },
  };
}

function gradient(step: number, length: number): Message {
  const payload = new Uint8Array(length).fill(step);
  const body = { content: Content.GRADIENT, shard: 0, offset: 0, total: length, request: 0, payload };
  return { run: 'r', generation: 1, step, phase: 'generator', kind: 'chunk', body };
}

/** Names a message by all its bytes. */
function digest(message: Message): string {
  return createHash('sha256')
    .update(Buffer.concat(encode(message)))
    .digest('hex');
}

const steps = (messages: readonly Message[]): number[] => messages.map(({ step }) => step);
const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

/** A coordinator and a worker with such a proxy between them, connected. */
async function open(t: TestContext, rules: readonly FaultRule[], seed = 0) {
  const coordinator = await listen(t);
  const proxy = await MessageProxy.open(coordinator.address, { rules, seed });
  t.after(() => proxy.close());
  const arrived = (): number[] => steps(coordinator.received.map(({ message }) => message));
  return { coordinator, proxy, arrived, worker: connect(t, proxy.address) };
}

async function sendAll(worker: ReturnType<typeof connect>, count: number): Promise<void> {
  for (const step of upTo(count)) await worker.link.send(numbered(step));
}

describe('a proxy of messages', () => {
  it('without rules passes all of them both ways, in order and as they are', async (t) => {
    const { coordinator, proxy, worker } = await open(t, []);
    const all = [...MESSAGES, ...upTo(8).map((step) => gradient(step, MIB)), ...upTo(200).map(numbered)];
    for (const message of all) await worker.link.send(message);
    await until('all messages', () => coordinator.received.length === all.length);
    assert.deepEqual(
      coordinator.received.map(({ message }) => digest(message)),
      all.map(digest),
    );
    for (const message of all) await coordinator.send(coordinator.received[0].peer, message);
    await until('all answers', () => worker.received.length === all.length);
    assert.deepEqual(worker.received.map(digest), all.map(digest));
    assert.deepEqual([proxy.faults, coordinator.traffic.rejections, worker.traffic.rejections], [[], [], []]);
  });

  it('drops, repeats and swaps those that are counted out', async (t) => {
    const { proxy, worker, arrived } = await open(t, [
      { action: 'drop', after: 1, times: 2 },
      { action: 'duplicate', kind: 'shardDone', after: 2, times: 1 },
      { action: 'reorder', direction: 'toCoordinator', after: 2, times: 1 },
      { action: 'drop', direction: 'toWorker' },
      { action: 'drop', kind: 'ping' },
    ]);
    await sendAll(worker, 8);
    await until('the last', () => arrived().at(-1) === 8);
    // Of 1 to 8: 2 and 3 are dropped; of the others 5 comes twice; then, of 1, 4, 6, 7, 8, 6 comes after 7.
    assert.deepEqual(arrived(), [1, 4, 5, 5, 7, 6, 8]);
    assert.deepEqual(
      proxy.faults.map(({ action, kind, direction, connection }) => [action, kind, direction, connection]),
      ['drop', 'drop', 'duplicate', 'reorder'].map((action) => [action, 'shardDone', 'toCoordinator', 0]),
    );
    assert.equal(proxy.count('drop'), 2);
  });

  it('brings the last of all although it was to come after the next', async (t) => {
    const { worker, arrived } = await open(t, [{ action: 'reorder', after: 1 }]);
    await sendAll(worker, 2);
    await until('the last', () => arrived().length === 2);
  });

  it('damages messages such that they are rejected, and no other', async (t) => {
    const { coordinator, proxy, worker, arrived } = await open(t, [{ action: 'corrupt', probability: 0.2 }]);
    await sendAll(worker, 300);
    await until('all', () => arrived().length + coordinator.traffic.rejections.length === 300);
    const corrupted = proxy.count('corrupt');
    assert.ok(corrupted > 20 && corrupted < 120, `${corrupted} of 300`);
    // Of each message the number on its connection is its step; where that was damaged, nothing else was.
    const numbers = coordinator.received.filter(({ number, message }) => number !== message.step).length;
    assert.ok(numbers > 0);
    assert.deepEqual(coordinator.traffic.rejections, Array<string>(corrupted - numbers).fill('undecodable'));
    assert.deepEqual(
      arrived(),
      [...new Set(arrived())].sort((one, other) => one - other),
    );
  });

  it('delays one, and what comes behind it stays behind it', async (t) => {
    const { worker, arrived } = await open(t, [{ action: 'delay', after: 1, times: 1, milliseconds: 300 }]);
    const begin = performance.now();
    await sendAll(worker, 3);
    await until('all', () => arrived().length === 3);
    assert.ok(performance.now() - begin >= 290);
    assert.deepEqual(arrived(), [1, 2, 3]);
  });

  it('breaks the connection of one worker for both ends, and of no other', async (t) => {
    const { coordinator, proxy, worker, arrived } = await open(t, [
      { action: 'cut', kind: 'shardDone', after: 2, times: 1 },
    ]);
    const other = connect(t, proxy.address);
    await other.link.send(gradient(100, 4));
    await until('the other', () => arrived().length === 1);
    await worker.link.send(numbered(1));
    await worker.link.send(numbered(2));
    await until('two more', () => arrived().length === 3);
    const [{ peer: otherPeer }, { peer }] = coordinator.received;
    await worker.link.send(numbered(3));
    await until('the end for the worker', () => worker.events.includes('disconnected'));
    await until('the end for the coordinator', () =>
      coordinator.send(peer, numbered(9)).then(
        () => false,
        (error: unknown) => error instanceof PeerGone,
      ),
    );
    assert.equal(proxy.count('cut'), 1);
    // ZeroMQ comes again by itself, as somebody else.
    await until('the connection', () => worker.events.length === 3);
    await worker.link.send(numbered(4));
    await until('what is sent on it', () => arrived().includes(4));
    assert.deepEqual(arrived(), [100, 1, 2, 4]);
    assert.notEqual(coordinator.received.at(-1)?.peer, peer);
    await coordinator.send(otherPeer, numbered(5));
    await until('the answer to the other', () => other.received.length === 1);
    assert.deepEqual(other.events, ['connected']);
    assert.equal(proxy.connections, 3);
  });

  it('passes on what was said last by an end that went, and that it went', async (t) => {
    const { coordinator, proxy, worker, arrived } = await open(t, []);
    await sendAll(worker, 20);
    await worker.link.close();
    await until('all', () => arrived().length === 20);
    const { peer } = coordinator.received[0];
    await until('the end', () =>
      coordinator.send(peer, numbered(9)).then(
        () => false,
        () => true,
      ),
    );
    const second = connect(t, proxy.address);
    await second.link.send(numbered(21));
    const next = (await until('the second', () => coordinator.received.at(20))).peer;
    for (const step of upTo(20)) await coordinator.send(next, numbered(step));
    await coordinator.listener.close();
    await until('the end for the worker', () => second.events.includes('disconnected'));
    assert.deepEqual(steps(second.received), upTo(20));
  });

  it('decides by its seed alone', () => {
    const fates = (seed: number): string => {
      const plan = new FaultPlan([{ action: 'drop', probability: 0.5 }], seed);
      return upTo(64)
        .map((step) => (plan.next('toWorker', numbered(step)) ? 'x' : '.'))
        .join('');
    };
    const first = fates(1);
    assert.equal(fates(1), first);
    assert.notEqual(fates(2), first);
    assert.match(first, /x.*\..*x/);
  });

  it('tells apart direction, kind and content', () => {
    const plan = new FaultPlan(
      [{ action: 'drop', direction: 'toWorker', kind: 'chunk', content: Content.GRADIENT }],
      0,
    );
    assert.equal(plan.next('toWorker', gradient(1, 4))?.action, 'drop');
    assert.equal(plan.next('toCoordinator', gradient(1, 4)), undefined);
    assert.equal(plan.next('toWorker', numbered(1)), undefined);
    assert.equal(plan.next('toWorker', undefined), undefined);
    assert.equal(
      new FaultPlan([{ action: 'drop', content: Content.STATE }], 0).next('toWorker', gradient(1, 4)),
      undefined,
    );
  });
});

/** A coordinator and a worker with a network between them that can be made a bad one. */
async function openNetwork(t: TestContext, heartbeat = { interval: 1_000, timeout: 10_000 }) {
  const coordinator = await listen(t, heartbeat);
  const network = await TcpProxy.open(coordinator.address, 1);
  t.after(() => network.close());
  return { coordinator, network, connect: () => connect(t, network.address, heartbeat) };
}

describe('a proxy of bytes', () => {
  it('passes on all of them, and takes its time both ways', async (t) => {
    const { coordinator, network, connect } = await openNetwork(t);
    network.latency = 100;
    const worker = connect();
    await until('the connection', () => worker.events.includes('connected'));
    const begin = performance.now();
    const all = [...MESSAGES, ...upTo(8).map((step) => gradient(step, MIB))];
    for (const message of all) await worker.link.send(message);
    const { peer } = await until('one', () => coordinator.received.at(0));
    await coordinator.send(peer, numbered(1));
    await until('the answer', () => worker.received.length === 1);
    assert.ok(performance.now() - begin >= 190);
    await until('all', () => coordinator.received.length === all.length);
    assert.deepEqual(
      coordinator.received.map(({ message }) => digest(message)),
      all.map(digest),
    );
  });

  it('that stands still keeps what was sent and the connection, and then goes on', async (t) => {
    const { coordinator, network, connect } = await openNetwork(t);
    const worker = connect();
    await worker.link.send(numbered(1));
    await until('the first', () => coordinator.received.length === 1);
    network.stall();
    await worker.link.send(numbered(2));
    const late = connect();
    await pause(200);
    assert.equal(coordinator.received.length, 1);
    assert.deepEqual([worker.events, late.events], [['connected'], []]);
    network.resume();
    await until('the second', () => coordinator.received.length === 2);
    await until('who came meanwhile', () => late.events.includes('connected'));
    assert.deepEqual(worker.events, ['connected']);
  });

  it('that stands still is found out by heartbeats, at both ends', async (t) => {
    const { coordinator, network, connect } = await openNetwork(t, { interval: 50, timeout: 500 });
    const worker = connect();
    await worker.link.send(numbered(1));
    const { peer } = await until('the first', () => coordinator.received.at(0));
    network.stall();
    await until('the end for the worker', () => worker.events.includes('disconnected'));
    await until('the end for the coordinator', () =>
      coordinator.send(peer, numbered(9)).then(
        () => false,
        (error: unknown) => error instanceof PeerGone,
      ),
    );
  });

  it('breaks connections, which are made again', async (t) => {
    const { coordinator, network, connect } = await openNetwork(t);
    const worker = connect();
    await worker.link.send(numbered(1));
    await until('the first', () => coordinator.received.length === 1);
    network.cut();
    await until('the connection anew', () => worker.events.join() === 'connected,disconnected,connected');
    await worker.link.send(numbered(2));
    await until('the second', () => coordinator.received.length === 2);
    assert.equal(network.connections, 2);
  });

  it('damages bytes, and never does another message come of them', async (t) => {
    const { coordinator, network, connect } = await openNetwork(t);
    const worker = connect();
    // Where the connection breaks, what is on it is lost, and ZeroMQ makes another: until then no more harm is done.
    const expectService = async (): Promise<void> => {
      const before = coordinator.received.length;
      await until('whole messages', async () => {
        await worker.link.send(numbered(1));
        return coordinator.received.length > before + 1;
      });
    };
    await expectService();
    for (let round = 0; round < 30; round++) {
      const before = network.corrupted;
      network.corruption = 0.5;
      await until('damage', async () => {
        await worker.link.send(gradient(round + 1, 4));
        return network.corrupted > before;
      });
      network.corruption = 0;
      await expectService();
    }
    assert.ok(coordinator.traffic.rejections.includes('undecodable'));
    for (const { message } of coordinator.received)
      assert.equal(
        digest(message),
        digest(message.kind === 'chunk' ? gradient(message.step, 4) : numbered(1)),
      );
  });
});
