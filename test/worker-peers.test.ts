import assert from 'node:assert/strict';
import { hostname } from 'node:os';
import { describe, it, type TestContext } from 'node:test';
import { Dealer } from 'zeromq';
import { meanArray } from '../src/averaging/mean-array.js';
import { SUMMATIONS, sumsOf, type Summation } from '../src/averaging/order-of-sums.js';
import { PART_FLOATS } from '../src/averaging/summing-memory.js';
import { fillNormal, randomStream } from '../src/common/random.js';
import { modelLayout } from '../src/model/layout.js';
import { phaseLayout } from '../src/model/phase.js';
import { vectorBytes } from '../src/model/round.js';
import type { TrainingOptions } from '../src/model/training-options.js';
import { Link } from '../src/wire/link.js';
import { Content, Source, type Bodies, type Header, type Message } from '../src/wire/message.js';
import { SocketFolder } from '../src/wire/socket-folder.js';
import { Segments } from '../src/wire/segments/segments.js';
import { DEFAULT_HEARTBEAT } from '../src/wire/socket-options.js';
import { PeerAveraging } from '../src/worker/peers/peer-averaging.js';
import { PeerSockets } from '../src/worker/peers/peer-sockets.js';
import { SMALL_TRAINING } from './support/small-model.js';
import { until } from './support/wire/until.js';

const RUN: Header = { run: 'a run', generation: 0, step: 0, phase: undefined };
const LENGTH = lengthOf(SMALL_TRAINING);
const AT = { phase: 'generator', step: 3 } as const;
const IGNORED = { sent: () => undefined, received: () => undefined, rejected: () => undefined };

interface Worker {
  readonly sockets: PeerSockets;
  readonly segments: Segments | undefined;
  readonly averaging: PeerAveraging;
  readonly mean: Float32Array;
  readonly averaged: Bodies['averaged'][];
  readonly unreachable: Bodies['unreachable'][];
}

async function openWorker(
  t: TestContext,
  self: number,
  training: TrainingOptions,
  shares: boolean,
): Promise<Worker> {
  const segments = shares ? await Segments.open(3 * vectorBytes(training)) : undefined;
  const folder = SocketFolder.make();
  t.after(() => folder?.remove());
  const sockets = await PeerSockets.open({
    folder: folder?.path,
    ...{ coordinator: 'tcp://127.0.0.1:1', encrypted: false, port: 0, heartbeat: DEFAULT_HEARTBEAT },
    onMessage: (received) => {
      averaging.receive(received);
    },
  });
  const layout = modelLayout(training);
  const means = {
    discriminator: meanArray(phaseLayout('discriminator', layout).length),
    generator: meanArray(lengthOf(training)),
  };
  const averaged: Bodies['averaged'][] = [];
  const unreachable: Bodies['unreachable'][] = [];
  const averaging: PeerAveraging = new PeerAveraging({
    ...{ training, sockets, segments, self, header: RUN, means, liveness: 200 },
    onAveraged: (_, body) => averaged.push(body),
    onUnreachable: (_, body) => unreachable.push(body),
  });
  t.after(async () => {
    await averaging.close();
    segments?.close();
  });
  return { sockets, segments, averaging, mean: means.generator.floats, averaged, unreachable };
}

/** Workers of one machine in a generation, worker i with shard i. */
async function openGroup(
  t: TestContext,
  count: number,
  options: Partial<TrainingOptions> = {},
  shares = false,
): Promise<Worker[]> {
  const training = { ...SMALL_TRAINING, ...options, shards: count };
  const workers = await Promise.all(
    Array.from({ length: count }, (_, self) => openWorker(t, self, training, shares)),
  );
  await assign(workers, 1);
  return workers;
}

async function assign(workers: readonly Worker[], generation: number): Promise<void> {
  const workerOfShard = workers.map((_, worker) => worker);
  for (const { averaging } of workers) averaging.begin(generation);
  await Promise.all(
    workers.map(({ averaging, segments }, self) => {
      const neighbours = workers.flatMap((other, worker) => (worker !== self ? [peerOf(worker, other)] : []));
      segments?.readOnly(neighbours.map(({ segment }) => segment));
      const own = { shards: [self], source: Source.KEEP, stateDigest: '' };
      const body = { ...own, workerOfShard, neighbours };
      return averaging.assign(body, generation);
    }),
  );
}

function peerOf(worker: number, { sockets: { addresses, key, token }, segments }: Worker) {
  return { worker, host: hostname(), addresses, key, token, segment: segments?.name ?? '' };
}

function lengthOf(training: TrainingOptions): number {
  return phaseLayout('generator', modelLayout(training)).length;
}

function vectors(count: number, length = LENGTH): Float32Array[] {
  return Array.from({ length: count }, (_, shard) =>
    fillNormal(new Float32Array(length), randomStream(1, 'vector', shard)),
  );
}

async function expectMean(workers: readonly Worker[], summation: Summation = 'sequential'): Promise<void> {
  const own = vectors(workers.length, workers[0].mean.length);
  workers.forEach(({ averaging }, shard) => {
    averaging.addVector(AT.phase, AT.step, shard, own[shard]);
  });
  await until('the mean', () => workers.every(({ averaged }) => averaged.length === 1));
  const operands = [...own];
  for (const { left, right } of sumsOf(summation, workers.length))
    operands.push(operands[left].map((value, i) => value + operands[right][i]));
  const expected = operands[operands.length - 1].map((value) => value / workers.length);
  for (const { mean, unreachable } of workers) {
    assert.ok(Buffer.from(mean.slice().buffer).equals(Buffer.from(expected.buffer)));
    assert.deepEqual(unreachable, []);
  }
  // Each part was made by one of them, and the last one's maker says what it measures.
  const made = workers.map(({ averaged: [{ parts }] }) => parts);
  const last = Math.ceil(expected.length / PART_FLOATS) - 1;
  assert.deepEqual(
    made.flat().sort((one, other) => one - other),
    Array.from({ length: last + 1 }, (_, part) => part),
  );
  assert.deepEqual(
    workers.map(({ averaged: [{ measures }] }) => measures.length > 0),
    made.map((parts) => parts.includes(last)),
  );
}

/** A connection of somebody whom the coordinator has not sent. */
function knock(t: TestContext, { sockets }: Worker): Link {
  const link = Link.connect(sockets.addresses[0], IGNORED, () => undefined);
  t.after(() => link.close());
  return link;
}

const LIMIT = { timeout: 60_000 };

describe('workers that average among themselves', LIMIT, () => {
  it('have the mean of all, in the order of the shards', async (t) => {
    await expectMean(await openGroup(t, 3));
  });

  for (const summation of SUMMATIONS)
    it(`share the sums of a vector of many parts, ${summation}`, async (t) => {
      const wide = { generatorFeatures: 128, summation };
      const workers = await openGroup(t, 4, wide);
      await expectMean(workers, summation);
      for (const { averaged } of workers) assert.ok(averaged[0].parts.length > 1);
    });

  for (const summation of SUMMATIONS)
    it(`hand them to each other in shared memory, ${summation}`, async (t) => {
      const wide = { generatorFeatures: 128, summation };
      const workers = await openGroup(t, 4, wide, true);
      const placed = workers.map(({ segments }) => t.mock.method(segments as Segments, 'placeFor').mock);
      await expectMean(workers, summation);
      for (const { calls } of placed) {
        assert.ok(calls.length > 0);
        assert.ok(calls.every(({ result }) => result !== undefined));
      }
    });

  it('send a message where memory is full, or is not read', async (t) => {
    const workers = await openGroup(t, 3, { generatorFeatures: 128 }, true);
    const [full, unread, other] = workers.map(({ segments }) => segments as Segments);
    while (full.placeFor(other.name, new Uint8Array(1024 * 1024)));
    unread.readOnly([]);
    const placed = t.mock.method(other, 'placeFor').mock;
    await expectMean(workers);
    const to = (name: string): boolean[] =>
      placed.calls.filter(({ arguments: [to] }) => to === name).map(({ result }) => result !== undefined);
    assert.deepEqual([...new Set(to(full.name))], [true]);
    assert.deepEqual([...new Set(to(unread.name))], [false]);
  });

  it('are not disturbed by strangers at their sockets', async (t) => {
    const workers = await openGroup(t, 2);
    const link = knock(t, workers[1]);
    const send = (message: object): Promise<void> =>
      link.send({ ...RUN, generation: 1, ...message } as Message);
    const bytes = 4 * LENGTH;
    const payload = new Uint8Array(Math.min(bytes, 1024 * 1024));
    const chunk = { content: Content.OPERAND, shard: 0, offset: 0, total: bytes, request: 0, payload };
    await send({ kind: 'greeting', body: { worker: 0, token: '' } });
    await send({ kind: 'greeting', body: { worker: 0, token: workers[0].sockets.token } });
    await send({ ...AT, kind: 'chunk', body: chunk });
    const garbage = new Dealer({ linger: 0 });
    t.after(() => {
      garbage.close();
    });
    garbage.connect(workers[1].sockets.addresses[0]);
    await garbage.send(['anything', Buffer.alloc(1000, 7)]);
    await expectMean(workers);
  });

  it('report a neighbour that sends what it cannot mean, and one whose connection broke', async (t) => {
    const workers = await openGroup(t, 2);
    const link = knock(t, workers[1]);
    const send = (message: object): Promise<void> =>
      link.send({ ...RUN, generation: 1, ...message } as Message);
    await send({ kind: 'greeting', body: { worker: 0, token: workers[1].sockets.token } });
    const chunk = { content: Content.OPERAND, shard: 0, offset: 0, total: 8, request: 0 };
    await send({ ...AT, kind: 'chunk', body: { ...chunk, payload: new Uint8Array(4) } });
    await until('the report', () => workers[1].unreachable.length === 1);
    assert.match(workers[1].unreachable[0].reason, /^it sent an invalid message: a vector of 8 bytes/);
    assert.equal(workers[1].unreachable[0].worker, 0);
    await workers[1].averaging.close();
    await until('the other report', () => workers[0].unreachable.length > 0);
    assert.deepEqual(workers[0].unreachable[0], { worker: 1, reason: 'the connection to it broke' });
  });

  it('leave what is of an earlier generation alone', async (t) => {
    const workers = await openGroup(t, 2);
    const [own] = vectors(2);
    workers[0].averaging.addVector(AT.phase, AT.step, 0, own);
    await assign(workers, 2);
    await expectMean(workers);
  });
});
