import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { Roster, type Member } from '../src/coordinator/fleet/members/roster.js';
import { Routes } from '../src/coordinator/fleet/rounds/routes.js';
import { RunMetrics } from '../src/monitoring/metrics/run-metrics.js';
import type { Topology } from '../src/averaging/topology.js';
import { Sequence } from '../src/wire/sequence.js';
import { SMALL_TRAINING } from './support/small-model.js';

const TRAINING = { ...SMALL_TRAINING, shards: 3 };

describe('the ways of gradients', () => {
  let roster: Roster;
  let lines: string[];
  beforeEach(() => {
    roster = new Roster(3, new RunMetrics({ batchSize: 16 }));
    lines = [];
  });

  function come(number: number, process: string, addresses = [`ipc://@${process}`]): Member {
    const member: Member = {
      ...{ number, process, pid: 100 + number, host: 'here', peer: process, sequence: new Sequence() },
      segment: '',
      ways: { addresses, key: '', token: `${process}'s token` },
      ...{ since: 0, heard: 0, state: 'ready', device: 'cpu', generation: 1 },
    };
    roster.add(member);
    return member;
  }

  function routes(topology: Topology): Routes {
    return new Routes({ training: TRAINING, topology, roster, log: (line) => lines.push(line) });
  }

  /** Shard 0 at the first of these workers, and so on; the last one hosts what is left. */
  function begin(ways: Routes, workers: readonly number[]): void {
    ways.begin(
      workers.map((worker, index) => ({
        worker,
        shards: index + 1 < workers.length ? [index] : [0, 1, 2].slice(index),
        source: 'keep',
      })),
    );
  }

  it('go among workers that can be reached, of which each hears of those that it sends to', () => {
    for (const worker of [0, 1, 2]) come(worker, `process ${worker}`);
    const ways = routes('auto');
    begin(ways, [0, 1, 2]);
    assert.ok(ways.amongWorkers);
    const neighboursOf = (worker: number): unknown[] =>
      ways.of(worker).neighbours.map((each) => [each.worker, each.token]);
    assert.deepEqual(ways.of(1).workerOfShard, [0, 1, 2]);
    // Such small vectors have one part, which the last one adds.
    assert.deepEqual(neighboursOf(1), [[2, "process 2's token"]]);
    assert.deepEqual(neighboursOf(2), [
      [0, "process 0's token"],
      [1, "process 1's token"],
    ]);
    assert.deepEqual(lines, ['gradients go among 3 workers on 1 host, as a ring']);
  });

  it('go through the coordinator where there is one worker, one that nobody reaches, or a star is asked for', () => {
    come(0, 'one');
    come(1, 'two');
    come(2, 'three', []);
    for (const [topology, workers] of [
      ['auto', [0]],
      ['ring', [0, 1, 2]],
      ['star', [0, 1]],
    ] as const) {
      const ways = routes(topology);
      begin(ways, workers);
      assert.ok(!ways.amongWorkers);
      assert.deepEqual(ways.of(0), { workerOfShard: [], neighbours: [] });
    }
  });

  it('lead through the coordinator while two take part that cannot reach each other, and no longer', () => {
    const [one, other] = [come(0, 'one'), come(1, 'two')];
    come(2, 'three');
    const ways = routes('ring');
    begin(ways, [0, 1, 2]);
    assert.match(
      ways.unreachable(one, { worker: 1, reason: 'no way' }).message,
      /^worker 0 .* worker 1 .*: no way$/,
    );
    begin(ways, [0, 1, 2]);
    assert.ok(!ways.amongWorkers);
    begin(ways, [0, 2]);
    assert.ok(ways.amongWorkers);
    // Another process in the same place may be reached.
    roster.remove(other);
    come(1, 'a successor');
    begin(ways, [0, 1, 2]);
    assert.ok(ways.amongWorkers);
  });
});
