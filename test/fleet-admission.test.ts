import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { PendingReplies } from '../src/coordinator/fleet/pending-replies.js';
import type { LocalWorkers } from '../src/coordinator/fleet/local-workers/local-workers.js';
import { WorkerAdmission } from '../src/coordinator/fleet/members/admission.js';
import { Recovery } from '../src/coordinator/fleet/members/recovery.js';
import { Roster, type Member } from '../src/coordinator/fleet/members/roster.js';
import { WorkerLost } from '../src/coordinator/fleet/worker-lost.js';
import { RunMetrics } from '../src/monitoring/metrics/run-metrics.js';
import { Secret } from '../src/common/secret.js';
import { hashOptions } from '../src/model/training-options.js';
import { PROTOCOL_VERSION } from '../src/wire/codec.js';
import type { Bodies, MessageOf } from '../src/wire/message.js';
import { Rejection } from '../src/wire/rejection.js';
import { FakeWorkerChannel } from './support/fake-worker-channel.js';
import { parsePrometheusText } from './support/prometheus-text.js';
import { SMALL_TRAINING } from './support/small-model.js';

const ENGINE = 'native 2.21.0 cpu';
const MAX_WORKERS = 2;

/** The workers of this machine: their secrets are those of worker 0 and of worker 1. */
const SECRETS = ['secret 0', 'secret 1'];

class FakeMachine {
  readonly killed: number[] = [];
  readonly leaving: number[] = [];
  readonly returning: number[] = [];
  readonly greeted = (): void => undefined;
  readonly served = (): void => undefined;

  deviceOf(): string {
    return 'cpu';
  }

  numberOf(secret: string): number | undefined {
    const number = SECRETS.indexOf(secret);
    return number < 0 ? undefined : number;
  }

  expectReturn(worker: number): void {
    this.returning.push(worker);
  }

  kill(worker: number): void {
    this.killed.push(worker);
  }

  expectEnd(worker: number): void {
    this.leaving.push(worker);
  }
}

describe('the generation of a run', () => {
  let channel: FakeWorkerChannel;
  let roster: Roster;
  let recovery: Recovery;
  let replies: PendingReplies;
  let metrics: RunMetrics;
  let machine: FakeMachine | undefined;
  let lines: string[];
  let secret: Secret | undefined;
  let admission: WorkerAdmission;

  beforeEach(() => {
    channel = new FakeWorkerChannel();
    metrics = new RunMetrics({ batchSize: 16 });
    roster = new Roster(MAX_WORKERS, metrics);
    recovery = new Recovery(SMALL_TRAINING.shards, 0);
    replies = new PendingReplies();
    machine = undefined;
    secret = undefined;
    lines = [];
    admission = new WorkerAdmission({
      ...{ training: SMALL_TRAINING, dataset: { fingerprint: 'f', count: 96 }, maxWorkers: MAX_WORKERS },
      ...{ liveness: 10_000, roster, recovery, channel: channel.asChannel, replies, metrics },
      local: () => machine as unknown as LocalWorkers | undefined,
      log: (line, fields) => {
        if (fields?.level !== 'debug') lines.push(line);
      },
      peers: false,
      get secret() {
        return secret;
      },
      phaseTime: () => 60_000,
      onChange: () => undefined,
    });
  });
  afterEach(() => {
    admission.stop();
  });

  /** A worker says hello on a new connection. Returns what it is told. */
  async function hello(peer: string, facts: Partial<Bodies['hello']> & { readonly number?: number } = {}) {
    const { pid = 1, host = 'h', protocol = PROTOCOL_VERSION, number = 1 } = facts;
    const { process = `${host} ${pid}` } = facts;
    // By their number, processes 100 and 101 are those of this machine.
    const { secret: shown = SECRETS.find((_, worker) => pid === 100 + worker) ?? '' } = facts;
    await admission.hello(peer, number, { protocol, host, pid, process, secret: shown });
    const message = channel.take().find((each) => each.peer === peer);
    assert.ok(message);
    return message;
  }

  function ready(peer: string, engine = ENGINE): void {
    const body = {
      ...{ optionsHash: hashOptions(JSON.stringify(SMALL_TRAINING)), datasetFingerprint: 'f', engine },
      ...{ peerAddresses: [], peerKey: '', peerToken: '', segment: '' },
    };
    const header = { run: 'r', generation: 0, step: 0, phase: undefined };
    admission.ready(member(peer), { ...header, kind: 'ready', body } satisfies MessageOf<'ready'>);
  }

  function member(peer: string): Member {
    const found = roster.ofPeer(peer);
    assert.ok(found, `${peer} is a member`);
    return found;
  }

  async function losses(reason: string): Promise<number | undefined> {
    const counts = parsePrometheusText(await metrics.registry.metrics()).get('dcgan_worker_losses_total');
    return counts?.samples.get(`dcgan_worker_losses_total{reason="${reason}"}`);
  }

  it('has places for so many, and whoever is too many may ask again and get the first that is free', async () => {
    for (const [index, peer] of ['a', 'b'].entries()) {
      const message = await hello(peer, { pid: index + 1 });
      assert.equal(message.kind, 'welcome');
      assert.equal(message.body.worker, index);
    }
    const full = { peer: 'c', kind: 'refusal', body: { reason: 'the run has all its workers', retry: true } };
    assert.deepEqual(await hello('c', { pid: 3 }), full);
    admission.lose(member('a'), 'silent', 'was silent');
    const message = await hello('c', { pid: 3 });
    assert.equal(message.kind, 'welcome');
    assert.equal(message.body.worker, 0);
  });

  it('refuses for good who can never take part', async () => {
    for (const message of [
      await hello('a', { protocol: PROTOCOL_VERSION + 1 }),
      ((machine = new FakeMachine()), await hello('b', { pid: 99 })),
    ]) {
      assert.equal(message.kind, 'refusal');
      assert.equal(message.body.retry, false);
    }
    assert.equal((await hello('c', { pid: 101 })).kind, 'welcome');
    assert.equal(member('c').number, 1);
  });

  it('refuses a host whose workers failed five times in a row, though there are places', async () => {
    for (let failure = 1; failure <= 5; failure++) {
      assert.equal((await hello(`a${failure}`, { pid: failure })).kind, 'welcome');
      admission.lose(member(`a${failure}`), 'exited', 'failed');
    }
    const message = await hello('a6', { pid: 6 });
    assert.equal(message.kind, 'refusal');
    assert.deepEqual(message.body, {
      reason: 'its host h failed 5 times in a row and was given up',
      retry: false,
    });
    assert.equal((await hello('other', { host: 'i' })).kind, 'welcome');
  });

  it('takes nothing but a hello first, and one hello of each connection', async () => {
    await assert.rejects(hello('a', { number: 2 }), Rejection);
    await hello('a');
    await assert.rejects(
      admission.hello('a', 2, { protocol: PROTOCOL_VERSION, host: 'h', pid: 1, process: 'h 1', secret: '' }),
      Rejection,
    );
    ready('a');
    assert.throws(() => {
      ready('a');
    }, Rejection);
  });

  it('lets a process come back on a new connection before the old one is missed', async () => {
    await hello('a');
    ready('a');
    const waiting = replies.expect((worker) => worker === 0);
    const message = await hello('b');
    assert.equal(message.kind, 'welcome');
    assert.equal(message.body.worker, 0);
    assert.equal(roster.ofPeer('a'), undefined);
    await assert.rejects(waiting.promise, WorkerLost);
    assert.equal(await losses('silent'), 1);
  });

  it('does not kill a process of this machine for coming back, and gives no place twice', async () => {
    machine = new FakeMachine();
    await hello('a', { pid: 100 });
    ready('a');
    assert.equal((await hello('b', { pid: 100 })).kind, 'welcome');
    assert.deepEqual(
      roster.all().map(({ peer, number }) => [peer, number]),
      [['b', 0]],
    );
    // Another process cannot know the secret; if one did, the place would be taken.
    const { kind, body } = await hello('c', { pid: 100, process: 'another' });
    assert.deepEqual([kind, body], ['refusal', { reason: 'the run has all its workers', retry: true }]);
    assert.equal(member('b').number, 0);
    // A connection that is gone leaves the process time to come back.
    admission.disconnected(member('b'));
    assert.deepEqual([machine.killed, machine.returning], [[], [0]]);
    assert.equal((await hello('d', { pid: 100 })).kind, 'welcome');
    assert.deepEqual(machine.killed, []);
  });

  it('knows a process of this machine by its secret, not by its number', async () => {
    machine = new FakeMachine();
    await hello('a', { pid: 100 });
    const before = member('a');
    for (const secret of ['', 'secret', 'secret 2']) {
      const message = await hello('thief', { pid: 100, process: before.process, secret });
      assert.ok(message.kind === 'refusal' && /^the run starts its own workers: /.test(message.body.reason));
      assert.equal(roster.ofPeer('thief'), undefined);
    }
    assert.equal(roster.get(0), before);
    assert.deepEqual(machine.killed, []);
  });

  it('takes only workers that know the secret of this user, if no keys tell who they are', async () => {
    secret = new Secret('of this user');
    for (const wrong of ['', 'of another user']) {
      const message = await hello('thief', { secret: wrong });
      assert.ok(message.kind === 'refusal' && message.body.retry);
      assert.match(message.body.reason, /^it does not know the secret of this coordinator, /);
    }
    assert.deepEqual(roster.all(), []);
    assert.equal((await hello('a', { secret: 'of this user' })).kind, 'welcome');
  });

  it('takes containers that share a host and number their processes alike for two', async () => {
    await hello('a', { pid: 7, process: 'one' });
    const message = await hello('b', { pid: 7, process: 'another' });
    assert.ok(message.kind === 'welcome' && message.body.worker === 1);
    assert.deepEqual(
      roster.all().map(({ peer }) => peer),
      ['a', 'b'],
    );
  });

  it('tells who is lost, ends what waits for it, and says so once', async () => {
    await hello('a');
    ready('a');
    const lost = member('a');
    admission.lose(lost, 'silent', 'was silent for 10 s');
    admission.lose(lost, 'overdue', 'did not answer for 60 s');
    assert.deepEqual(channel.take(), [
      { peer: 'a', kind: 'refusal', body: { reason: 'was silent for 10 s', retry: true } },
    ]);
    assert.deepEqual(lines, ['worker 0 (pid 1 on h) was silent for 10 s; its place is open']);
    assert.equal(recovery.size, 0);
    assert.deepEqual([await losses('silent'), await losses('overdue')], [1, 0]);
  });

  it('ends a process of this machine that does not answer, whose end is no second loss', async () => {
    machine = new FakeMachine();
    await hello('a', { pid: 100 });
    ready('a');
    admission.lose(member('a'), 'silent', 'was silent for 10 s');
    assert.deepEqual(machine.killed, [0]);
    admission.ended(0, 'was killed by SIGKILL', 1_000);
    assert.deepEqual(lines, [
      'worker 0 (pid 100 on h) was silent for 10 s',
      'worker 0 was killed by SIGKILL; it is started again in 1 s',
    ]);
    assert.deepEqual([await losses('silent'), await losses('exited')], [1, 0]);
    // One that ends by itself, before or after its hello, is a loss.
    admission.ended(0, 'ended with code 3', undefined);
    await hello('b', { pid: 101 });
    admission.lose(member('b'), 'exited', 'failed: no memory');
    assert.deepEqual(machine.leaving, [1]);
    admission.ended(1, 'ended with code 3', 0);
    assert.deepEqual(lines.slice(2), [
      'worker 0 ended with code 3; it is given up',
      'worker 1 ended with code 3; it is started again',
    ]);
    assert.equal(await losses('exited'), 2);
  });

  it('ends a run whose own worker cannot take part, but not once the run has begun', async () => {
    machine = new FakeMachine();
    await hello('a', { pid: 100 });
    ready('a');
    admission.begun();
    await hello('b', { pid: 101 });
    ready('b', 'wasm');
    assert.equal(replies.failed, false);
    assert.equal(roster.ofPeer('b'), undefined);
    assert.match(
      lines[0],
      /^refused worker 1 \(pid 101 on h\): it has engine wasm, the other workers native/,
    );
    assert.equal(recovery.size, 1);
  });

  it('ends a run whose own worker cannot take part from the beginning', async () => {
    machine = new FakeMachine();
    await hello('a', { pid: 100 });
    ready('a');
    await hello('b', { pid: 101 });
    ready('b', 'wasm');
    await assert.rejects(replies.expect().promise, /^Error: worker 1 was refused: it has engine wasm/);
  });

  it('takes its engine from the first, and another one where all of those left before the first update', async () => {
    await hello('a', { pid: 1 });
    ready('a');
    admission.lose(member('a'), 'exited', 'left');
    await hello('b', { pid: 2 });
    ready('b', 'wasm');
    assert.equal(roster.engine, 'wasm');
    admission.begun();
    admission.lose(member('b'), 'exited', 'left');
    await hello('c', { pid: 3 });
    channel.take();
    ready('c');
    const [message] = channel.take();
    assert.equal(message.kind, 'refusal');
    assert.equal(message.body.retry, false);
  });
});
