import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import type { StateSource } from '../src/model/state-source.js';
import type { Assignment } from '../src/coordinator/fleet/members/recovery.js';
import { ResidualHosts } from '../src/coordinator/fleet/members/residual-hosts.js';
import { Roster, type Member } from '../src/coordinator/fleet/members/roster.js';
import { RunMetrics } from '../src/monitoring/metrics/run-metrics.js';
import { Source } from '../src/wire/message.js';
import { memberOf } from './support/fake-post.js';

const { KEEP, FETCH, SEED } = Source;
const residuals = { read: () => Promise.resolve(new Uint8Array()) };
const CHECKPOINT: StateSource = {
  ...{ bytes: 4, digest: '', residuals },
  read: () => Promise.resolve(new Uint8Array()),
};

/** Who hosts which shards, worker after worker. */
function hosting(...shardsOf: readonly (readonly number[])[]): Assignment[] {
  return shardsOf.map((shards, worker) => ({ worker, shards, source: 'keep' }));
}

describe('who keeps what int8 has left of each shard', () => {
  let roster: Roster;
  let members: Member[];
  let lines: string[];
  let hosts: ResidualHosts;

  beforeEach(() => {
    roster = new Roster(3, new RunMetrics({ batchSize: 16 }));
    members = [0, 1, 2].map(memberOf);
    for (const member of members) roster.add(member);
    lines = [];
    hosts = begun(undefined);
  });

  function begun(origin: StateSource | undefined): ResidualHosts {
    return new ResidualHosts(roster, origin, (line) => lines.push(line));
  }

  /** What each worker is told of its shards, and which shards each hands on. */
  function begin(update: number, ...shardsOf: readonly (readonly number[])[]) {
    const { sources, givers } = hosts.begin(hosting(...shardsOf), update);
    return {
      sources: [...sources.values()],
      givers: [...givers].map(([{ number }, shards]) => [number, shards]),
    };
  }

  const keepers = (update: number): unknown[] =>
    [0, 1, 2].map((shard) => {
      const keeper = hosts.keeperOf(shard, update);
      return keeper && 'number' in keeper ? keeper.number : keeper;
    });

  it('is nobody where the run begins with its seed, and then whoever hosts it', () => {
    assert.deepEqual(begin(0, [0, 1], [2]), { sources: [[SEED, SEED], [SEED]], givers: [] });
    assert.deepEqual(keepers(0), [undefined, undefined, undefined]);
    hosts.end();
    assert.deepEqual(keepers(0), [0, 0, 1]);
    assert.deepEqual(lines, []);
  });

  it('hands it on to whoever hosts the shard next', () => {
    begin(0, [0, 1], [2]);
    hosts.end();
    assert.deepEqual(begin(5, [0], [2], [1]), { sources: [[KEEP], [KEEP], [FETCH]], givers: [[0, [1]]] });
    assert.deepEqual(keepers(5), [0, 0, 1], 'until the membership has begun');
    hosts.end();
    assert.deepEqual(keepers(5), [0, 2, 1]);
    assert.deepEqual(lines, []);
  });

  it('is who kept it before where a membership is given up, as often as it takes', () => {
    begin(0, [0, 1, 2]);
    hosts.end();
    begin(5, [0], [1], [2]);
    roster.remove(members[2]);
    assert.deepEqual(begin(5, [0, 2], [1]), { sources: [[KEEP, KEEP], [FETCH]], givers: [[0, [1]]] });
    // Worker 1 has fetched it, but what it has is not known to be whole.
    roster.remove(members[0]);
    assert.deepEqual(begin(5, [], [0, 1, 2]), { sources: [[], [SEED, SEED, SEED]], givers: [] });
    assert.deepEqual(lines, [
      'shards 0, 1, 2 went to another worker: what rounding left of the gradients there begins at zero again (--wire int8)',
    ]);
  });

  it('says once what is lost with a worker, who does not have it any more when it comes back', () => {
    begin(0, [0], [1], [2]);
    hosts.end();
    roster.remove(members[1]);
    assert.deepEqual(keepers(5), [0, undefined, 2]);
    roster.add(memberOf(1));
    const again = { sources: [[KEEP], [SEED], [KEEP]], givers: [] };
    assert.deepEqual(begin(5, [0], [1], [2]), again);
    assert.deepEqual(begin(5, [0], [1], [2]), again);
    assert.deepEqual(lines, [
      'shard 1 went to another worker: what rounding left of the gradients there begins at zero again (--wire int8)',
    ]);
  });

  it('is the checkpoint that the run begins with, also where a worker is lost before the first update', () => {
    hosts = begun(CHECKPOINT);
    assert.deepEqual(begin(8, [0, 1], [2]), { sources: [[FETCH, FETCH], [FETCH]], givers: [] });
    hosts.end();
    roster.remove(members[0]);
    assert.deepEqual(keepers(8), [residuals, residuals, 1]);
    assert.deepEqual(begin(8, [], [0, 2], [1]), { sources: [[], [FETCH, KEEP], [FETCH]], givers: [] });
    hosts.end();
    assert.deepEqual(lines, []);
    // After it, it is lost.
    roster.remove(members[2]);
    assert.deepEqual(begin(9, [], [0, 1, 2]), { sources: [[], [KEEP, SEED, KEEP]], givers: [] });
    assert.equal(lines.length, 1);
  });

  it('is the checkpoint that the run goes back to, and nobody else', () => {
    begin(0, [0], [1], [2]);
    hosts.end();
    hosts.rewind(CHECKPOINT);
    assert.deepEqual(begin(6, [0], [1], [2]), { sources: [[FETCH], [FETCH], [FETCH]], givers: [] });
    hosts.rewind(undefined);
    assert.deepEqual(begin(0, [0], [1], [2]), { sources: [[SEED], [SEED], [SEED]], givers: [] });
    assert.deepEqual(lines, []);
  });
});
