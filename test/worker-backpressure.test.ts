import assert from 'node:assert/strict';
import { hostname } from 'node:os';
import { describe, it, type TestContext } from 'node:test';
import { Router } from 'zeromq';
import { meanArray } from '../src/averaging/mean-array.js';
import { Sampler, type Faces } from '../src/data/index.js';
import { modelLayout } from '../src/model/layout.js';
import { phaseLayout, updateNumber, type Phase } from '../src/model/phase.js';
import { cutsOf } from '../src/model/round-cuts.js';
import type { TrainingOptions } from '../src/model/training-options.js';
import { CHUNK_BYTES } from '../src/wire/codec.js';
import { Link } from '../src/wire/link.js';
import { Source, type Bodies, type Message } from '../src/wire/message.js';
import { Rejection } from '../src/wire/rejection.js';
import { SocketFolder } from '../src/wire/socket-folder.js';
import { ShardHost } from '../src/worker/shard-host.js';
import type { RunContext } from '../src/worker/run-context.js';
import { PeerAveraging } from '../src/worker/peers/peer-averaging.js';
import { PeerSockets } from '../src/worker/peers/peer-sockets.js';
import { Survivors } from './support/collected.js';
import { computingHandle } from './support/engine/replica-call.js';
import { SMALL_TRAINING } from './support/small-model.js';
import { readingProcess } from './support/wire/reading.js';
import { TrafficLog } from './support/wire/traffic-log.js';
import { until } from './support/wire/until.js';

/** Whoever waits for what never comes fails. In ms. */
const LIMIT = { timeout: 60_000 };

const SHARDS = 64;
const HEADER = { run: 'r', generation: 1, step: 1, phase: undefined };

/** Vectors of several chunks, and shards of one image. */
const TRAINING: TrainingOptions = {
  ...SMALL_TRAINING,
  ...{ generatorFeatures: 64, discriminatorFeatures: 64, batchSize: SHARDS, shards: SHARDS },
};
const lengthOf = (phase: Phase, training = TRAINING): number =>
  phaseLayout(phase, modelLayout(training)).length;
const CUTS = cutsOf(TRAINING)('discriminator');
const CHUNK = CUTS[0].bytes;

const FIRST = { phase: 'discriminator', step: 1, steps: 0, generation: 1, collect: true } as const;

/** What Link lets wait; what lies on the way besides is limited by the kernel, at some MB. */
const WAITING = 64;
const MOST_ON_THE_WAY = 64e6;

describe('a worker whose coordinator reads nothing any more', LIMIT, () => {
  it('computes no more than it can send, and goes on when that reads again', async (t) => {
    const { router, host, vectors, log } = await hostedShards(t);
    const computing = host.compute(FIRST);
    await until('its sending to stop', stillness(log));
    const taken = log.sentBytes;
    assert.ok(
      taken >= (WAITING / 2) * CHUNK && taken <= WAITING * CHUNK + MOST_ON_THE_WAY,
      `${taken} bytes were sent`,
    );
    assert.ok(vectors.made < SHARDS, 'all was computed');

    let [chunks, shards] = [0, 0];
    for await (const frames of router) {
      if (frames.some(({ length }) => length > CHUNK / 4)) chunks++;
      else shards++;
      if (shards === SHARDS) break;
    }
    await computing;
    assert.equal(chunks, SHARDS * CUTS.length);
    assert.equal(vectors.made, SHARDS);
    assert.equal(vectors.mostAhead, 2, 'one vector that is being sent, and one that is computed meanwhile');
  });

  it('keeps nothing of what it could not send when the connection is given up', async (t) => {
    const { host, link, vectors, log } = await hostedShards(t);
    const computing = host.compute(FIRST).then(
      () => 'done',
      () => 'given up',
    );
    await until('its sending to stop', stillness(log));
    const made = vectors.made;
    await host.close();
    await link.close();
    assert.equal(await computing, 'given up');
    assert.ok(vectors.made <= made + 1);
    await until('the vectors to be gone', () => vectors.survivors.count() === 0);
  });
});

/** A worker that hosts all shards, over a link to a socket that nobody reads. */
async function hostedShards(t: TestContext) {
  const router = new Router({ receiveHighWaterMark: 1, linger: 0 });
  t.after(() => {
    router.close();
  });
  await router.bind('tcp://127.0.0.1:*');
  const log = new TrafficLog();
  const link = Link.connect(router.lastEndpoint ?? '', log, () => undefined);
  t.after(() => link.close());

  const vectors = { made: 0, sent: 0, mostAhead: 0, survivors: new Survivors() };
  const replica = computingHandle(() => {
    vectors.made++;
    vectors.mostAhead = Math.max(vectors.mostAhead, vectors.made - vectors.sent);
    return vectors.survivors.add(new Float32Array(lengthOf('discriminator')));
  });
  const faces = { count: SHARDS, size: TRAINING.imageSize, read: () => undefined } as unknown as Faces;
  const sampler = new Sampler({ count: SHARDS, batch: SHARDS, shards: SHARDS, seed: 1 });
  const run = { options: TRAINING, replica, faces, sampler, update: 0 } as unknown as RunContext;
  const host = new ShardHost(run, async (kind, at, body) => {
    await link.send({ ...HEADER, ...at, kind, body } as Message);
    if (kind === 'shardDone') vectors.sent++;
  });
  host.begin(1);
  const shards = Array.from({ length: SHARDS }, (_, shard) => shard);
  const assignment = {
    shards,
    source: Source.KEEP,
    stateDigest: '',
    workerOfShard: [],
    neighbours: [],
  };
  await host.assign(assignment, 1, updateNumber('discriminator', 1));
  await router.receive(); // Prepared
  return { router, host, link, vectors, log };
}

/** Whether nothing more was sent for half a second. */
function stillness(log: TrafficLog): () => boolean {
  let [seen, since] = [0, performance.now()];
  return () => {
    if (log.sentBytes !== seen) [seen, since] = [log.sentBytes, performance.now()];
    return seen > CHUNK_BYTES && performance.now() - since > 500;
  };
}

describe('a worker whose neighbour is stopped while they average', LIMIT, () => {
  const LIVENESS = 500;
  /** Vectors of which the kernel does not take all, with a neighbour that has the second of two shards. */
  const training: TrainingOptions = {
    ...TRAINING,
    ...{ generatorFeatures: 128, discriminatorFeatures: 128, batchSize: 2, shards: 2 },
  };

  it('says so in time, begins no third round, and keeps nothing of what it could not send', async (t) => {
    const neighbour = await readingProcess(t);
    const unreachable: Bodies['unreachable'][] = [];
    const folder = SocketFolder.make();
    t.after(() => folder?.remove());
    const sockets = await PeerSockets.open({
      folder: folder?.path,
      ...{ coordinator: 'tcp://127.0.0.1:1', encrypted: false, port: 0 },
      heartbeat: { interval: LIVENESS / 10, timeout: LIVENESS },
      onMessage: (received) => {
        averaging.receive(received);
      },
    });
    const averaging: PeerAveraging = new PeerAveraging({
      ...{ training, sockets, self: 0, header: HEADER, liveness: LIVENESS },
      means: {
        discriminator: meanArray(lengthOf('discriminator', training)),
        generator: meanArray(lengthOf('generator', training)),
      },
      onAveraged: () => assert.fail('nobody can have made a mean'),
      onUnreachable: (generation, body) => {
        assert.equal(generation, 1);
        unreachable.push(body);
      },
    });
    t.after(() => averaging.close());
    averaging.begin(1);
    const peer = { worker: 1, host: hostname(), addresses: [neighbour.address], key: '' };
    const assignment = { shards: [0], source: Source.KEEP, stateDigest: '' };
    await averaging.assign({ ...assignment, workerOfShard: [0, 1], neighbours: [peer] }, 1);
    neighbour.stop();

    const survivors = new Survivors();
    const add = (phase: Phase, step: number): void => {
      averaging.addVector(phase, step, 0, survivors.add(new Float32Array(lengthOf(phase, training))));
    };
    const before = sockets.sentBytes;
    add('discriminator', 1);
    add('generator', 1);
    for (let step = 2; step < 20; step++)
      assert.throws(
        () => {
          add('discriminator', step);
        },
        (error) => error instanceof Rejection,
      );
    const [{ worker }] = await until('its loss', () => (unreachable.length > 0 ? unreachable : undefined));
    assert.equal(worker, 1);
    const twoVectors = 4 * (lengthOf('discriminator', training) + lengthOf('generator', training));
    assert.ok(sockets.sentBytes - before < twoVectors + CHUNK_BYTES, `${sockets.sentBytes} bytes were sent`);

    // The coordinator begins another generation, without the neighbour.
    averaging.begin(2);
    await until('the vectors to be gone', () => survivors.count() === 0);
    await averaging.assign({ ...assignment, shards: [0, 1], workerOfShard: [], neighbours: [] }, 2);
    assert.equal(averaging.isUsed, false);
  });
});
