import assert from 'node:assert/strict';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { randomStream } from '../../src/common/random.js';
import { StateLost } from '../../src/coordinator/executor.js';
import { Recovery } from '../../src/coordinator/fleet/members/recovery.js';

/** What the coordinator sends. The state is modelled as the list of updates that made it. */
type Order =
  | { kind: 'assign'; generation: number; holds: number; isSure: boolean }
  | { kind: 'fetch'; generation: number; update: number; from: 'origin' | ModelWorker }
  | { kind: 'compute'; generation: number; update: number }
  /** `next`: the update after it, which an average of several skips some for. */
  | { kind: 'apply'; update: number; next: number };

/** What a worker sends. */
type Answer =
  | { kind: 'ready'; holds: number | undefined }
  | { kind: 'prepared'; generation: number }
  | { kind: 'gradient'; generation: number; update: number };

/** A worker over one connection, whose messages arrive in order. */
class ModelWorker {
  readonly orders: Order[] = [];
  readonly answers: Answer[] = [];
  /** It was taken for another than it is, and ends the connection. */
  hasLeft = false;
  /** Its state was fetched, which the coordinator does not know yet. */
  hasFetched = false;

  constructor(
    readonly number: number,
    /** Updates that were applied, in order; undefined: no state. */
    public state: number[] | undefined,
  ) {
    this.answers.push({ kind: 'ready', holds: state?.length });
  }

  /** Does the next thing it was told; undefined where it has to wait. */
  work(states: ReadonlyMap<ModelWorker, number[] | undefined>): void {
    const order = this.orders[0];
    if (order.kind === 'fetch') {
      const state = order.from === 'origin' ? range(order.update) : states.get(order.from);
      // A fetch is given up when another generation has begun.
      if (this.orders.some((other) => other.kind !== 'apply' && other.generation > order.generation)) {
        this.orders.shift();
        return;
      }
      // The holder does what it was told before it copies its state.
      if (state?.length !== order.update) return;
      this.state = [...state];
      this.hasFetched = true;
      this.answers.push({ kind: 'prepared', generation: order.generation });
    } else if (order.kind === 'assign') {
      if (order.isSure)
        assert.equal(this.state?.length, order.holds, 'a worker holds what it is taken to hold');
      else if (this.state?.length !== order.holds) {
        this.hasLeft = true;
        this.orders.length = 0;
        return;
      }
      this.answers.push({ kind: 'prepared', generation: order.generation });
    } else if (order.kind === 'compute') {
      assert.equal(
        this.state?.length,
        order.update,
        'a gradient is computed from the state before its update',
      );
      this.answers.push({ kind: 'gradient', generation: order.generation, update: order.update });
    } else {
      assert.equal(this.state?.length, order.update, 'an update is made once, in its turn');
      for (let update = order.update; update < order.next; update++) this.state.push(update);
    }
    this.orders.shift();
  }
}

function range(length: number): number[] {
  return Array.from({ length }, (_, update) => update);
}

/** The version that a worker has when it has applied what it was told to, unless it fetches another before. */
function versionToCome({ orders, state }: ModelWorker): number | undefined {
  const apply = orders.findLast(({ kind }) => kind === 'apply');
  return apply?.kind === 'apply' ? apply.next : state?.length;
}

/**
 * A run of model workers under the recovery that the coordinator uses, with losses, reconnections, new workers and
 * delays at random moments. Says how it went; fails where an update is made twice, left out, or computed on another
 * state, where a round is counted twice, and where the run goes back further than it has to.
 */
export function faultRun(seed: number) {
  const stream = randomStream(seed, 'faults');
  const chance = (share: number): boolean => uniformInt(stream, 0, 9_999) < share * 10_000;
  const any = <T>(items: readonly T[]): T => items[uniformInt(stream, 0, items.length - 1)];

  const shards = uniformInt(stream, 1, 5);
  /** Updates of a round: more than one with local steps. */
  const span = any([1, 1, 3]);
  const wanted = span * uniformInt(stream, 1, 12);
  const checkpointEvery = span * uniformInt(stream, 1, 6);
  const faultiness = any([0.01, 0.05, 0.2]);
  const averagesKept = any([0, 0.5, 1]);
  const recovery = new Recovery(shards, 0);
  const connected = new Map<number, ModelWorker>();
  /** Those that are connected and have said what they hold. */
  const joined = new Set<ModelWorker>();
  /** Cut off, and alive: they come back with what they hold. */
  const away: ModelWorker[] = [];
  let checkpoint = 0;
  /** The version that each round came to, as it is counted and logged. */
  let log: number[] = [];
  let computing: Set<number> | undefined;
  let [lost, rewound, caughtUp, again, unsure] = [0, 0, 0, 0, 0];

  const connect = (number: number, state: number[] | undefined): void => {
    if (!connected.has(number)) connected.set(number, new ModelWorker(number, state));
  };
  const lose = (worker: ModelWorker, isAlive = chance(0.6)): void => {
    lost++;
    connected.delete(worker.number);
    joined.delete(worker);
    // A part of what was sent still arrives.
    if (isAlive) {
      while (worker.orders.length > 0 && chance(0.7)) {
        const before = worker.orders.length;
        worker.work(states());
        if (worker.orders.length === before) break;
      }
      const begun = worker.orders[0]?.kind === 'fetch' && chance(0.2);
      if (begun) worker.state = undefined;
      away.push(worker);
    }
    // A round ends with the loss of one that it needs.
    if (recovery.isGrouped(worker.number)) computing = undefined;
    recovery.leave(worker.number);
  };
  const states = (): Map<ModelWorker, number[] | undefined> =>
    new Map([...connected.values()].map((worker) => [worker, worker.state]));

  const knownVersions = (): (number | undefined)[] =>
    [...joined].filter(({ hasFetched }) => !hasFetched).map((worker) => versionToCome(worker));

  const reassignment = (): void => {
    if (chance(0.05)) recovery.dropAverage();
    const { isBehind, version } = recovery;
    let plan;
    try {
      plan = recovery.reassignment();
    } catch (error) {
      if (!(error instanceof StateLost)) throw error;
      const enough = knownVersions().filter((each) => each === version || each === version - span);
      assert.deepEqual(enough, [], 'nobody holds the state, or the one before');
      rewound++;
      recovery.rewind(checkpoint);
      log = log.filter((each) => each <= checkpoint);
      return;
    }
    const { generation, assignments, holder } = plan;
    assert.deepEqual(
      assignments.flatMap((each) => each.shards).sort((one, other) => one - other),
      range(shards),
    );
    const { update } = recovery;
    if (recovery.isBehind) {
      if (!isBehind) again++;
      assert.equal(update, version - span, 'one round is made again');
      assert.ok(!knownVersions().includes(version), 'nobody holds what it came to');
    }
    for (const { worker, source } of assignments) {
      const member = connected.get(worker);
      assert.ok(member, 'only who is here gets shards');
      const from = (holder === undefined ? undefined : connected.get(holder)) ?? 'origin';
      const holds = source === 'catch up' ? update - span : update;
      const isSure = source !== 'still';
      if (!isSure) unsure++;
      if (source === 'fetch') member.orders.push({ kind: 'fetch', generation, update, from });
      else member.orders.push({ kind: 'assign', generation, holds, isSure });
      if (source === 'catch up') {
        caughtUp++;
        member.orders.push({ kind: 'apply', update: holds, next: update });
      }
    }
  };

  const receive = (worker: ModelWorker): void => {
    const answer = worker.answers.shift();
    if (!answer) return;
    if (answer.kind === 'ready') {
      joined.add(worker);
      recovery.join(worker.number, answer.holds);
    } else if (answer.generation !== recovery.generation) return;
    else if (answer.kind === 'prepared') {
      worker.hasFetched = false;
      recovery.prepared(worker.number);
    } else if (computing?.delete(worker.number) && computing.size === 0) {
      computing = undefined;
      assert.equal(answer.update, recovery.update);
      const { update, isBehind } = recovery;
      const next = update + span;
      for (const member of grouped()) member.orders.push({ kind: 'apply', update, next });
      // AverageBuffers that workers make among themselves are not kept.
      recovery.updated(chance(averagesKept), next);
      // What is made again was counted.
      if (!isBehind) log.push(next);
      // A checkpoint is made between steps, by one who holds the state.
      if (recovery.version % checkpointEvery === 0) checkpoint = recovery.version;
    }
  };
  const grouped = (): ModelWorker[] =>
    [...connected.values()].filter(({ number }) => recovery.isGrouped(number));

  for (let event = 0; event < 20_000 && (recovery.version < wanted || recovery.isBehind); event++) {
    if (chance(faultiness) && connected.size > 0) lose(any([...connected.values()]));
    // The network of all is cut.
    if (chance(faultiness / 4)) for (const worker of [...connected.values()]) lose(worker, true);
    if (chance(0.1) || connected.size === 0) {
      const back = chance(0.7) ? away.shift() : undefined;
      connect(back?.number ?? uniformInt(stream, 0, shards - 1), back?.state);
    }
    const workers = [...connected.values()];
    const busy = workers.filter(({ orders, answers }) => orders.length > 0 || answers.length > 0);
    if (busy.length > 0) {
      const worker = any(busy);
      if (worker.answers.length > 0 && (worker.orders.length === 0 || chance(0.5))) receive(worker);
      else worker.work(states());
      if (worker.hasLeft) lose(worker, true);
    }
    for (const number of recovery.holders()) {
      const worker = connected.get(number);
      assert.equal(
        worker && versionToCome(worker),
        recovery.version,
        'a copy is of what the run has come to',
      );
    }
    // The coordinator's loop: a generation of all, then a round.
    if (computing || recovery.size === 0) continue;
    if (!recovery.ready) {
      if (!isUnderWay() || chance(0.02)) reassignment();
    } else {
      computing = new Set(grouped().map(({ number }) => number));
      const { generation, update } = recovery;
      for (const member of grouped()) member.orders.push({ kind: 'compute', generation, update });
    }
  }
  for (const { state } of connected.values()) if (state) assert.deepEqual(state, range(state.length));
  assert.deepEqual(
    log,
    range(recovery.version / span).map((round) => (round + 1) * span),
    'each round is counted once',
  );
  return { updates: recovery.version, wanted, lost, rewound, caughtUp, again, unsure };

  /** Whether some members have still to say that they are prepared for this generation. */
  function isUnderWay(): boolean {
    return [...connected.values()].some(
      ({ number, orders, answers }) =>
        recovery.isGrouped(number) &&
        !recovery.isPrepared(number) &&
        (orders.some((order) => order.kind !== 'apply' && order.generation === recovery.generation) ||
          answers.some((answer) => answer.kind === 'prepared' && answer.generation === recovery.generation)),
    );
  }
}
