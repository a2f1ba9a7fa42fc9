import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { Departures } from '../src/coordinator/fleet/members/departures.js';
import { Recovery } from '../src/coordinator/fleet/members/recovery.js';
import { Roster, type Member } from '../src/coordinator/fleet/members/roster.js';
import { RunMetrics } from '../src/monitoring/metrics/run-metrics.js';
import { memberOf } from './support/fake-post.js';

describe('workers that hand on what they have before they leave', () => {
  let roster: Roster;
  let recovery: Recovery;
  let members: Member[];
  let departures: Departures;
  let lost: string[];

  beforeEach(() => {
    roster = new Roster(3, new RunMetrics({ batchSize: 16 }));
    recovery = new Recovery(3, 0);
    members = [0, 1, 2].map(memberOf);
    lost = [];
    const lose = (member: Member, reason: string, cause: string): void => {
      lost.push(`${member.number} ${reason}: ${cause}`);
      gone(member);
    };
    departures = new Departures({ roster, recovery, membership: { lose } });
    for (const member of members) {
      roster.add(member);
      recovery.join(member.number, undefined);
    }
    regroup();
    recovery.updated(true);
  });

  function gone(member: Member): void {
    roster.remove(member);
    recovery.leave(member.number);
  }

  function regroup(): void {
    for (const { worker } of recovery.regroup().assignments) recovery.prepared(worker);
  }

  it('stay until the others have it, and compute what is under way', () => {
    departures.announced(members[1], 'told to');
    assert.ok(recovery.isGrouped(1) && recovery.ready);
    departures.begin();
    assert.deepEqual([recovery.ready, recovery.isGrouped(1)], [false, false]);
    assert.equal(roster.get(1), members[1], 'it can be asked');
    regroup();
    assert.deepEqual([...recovery.workerOfShard().values()].sort(), [0, 0, 2]);
    assert.deepEqual(lost, []);
    departures.end();
    assert.deepEqual(lost, ['1 exited: cannot go on: told to']);
    // Once.
    departures.begin();
    departures.end();
    assert.equal(lost.length, 1);
    assert.ok(recovery.ready);
  });

  it('go at once where nobody else has the state', () => {
    for (const member of members.slice(1)) gone(member);
    regroup();
    departures.announced(members[0], 'told to');
    departures.begin();
    assert.deepEqual(lost, ['0 exited: cannot go on: told to']);
  });

  it('go at once where all leave, and where they have no shards', () => {
    for (const member of members) departures.announced(member, 'told to');
    departures.begin();
    assert.equal(lost.length, 3);
    const newcomer = memberOf(1);
    roster.add(newcomer);
    recovery.join(1, undefined);
    departures.announced(newcomer, 'told to');
    assert.equal(lost.length, 4);
  });

  it('are forgotten where they are lost before', () => {
    departures.announced(members[1], 'told to');
    gone(members[1]);
    const successor = memberOf(1);
    roster.add(successor);
    recovery.join(1, undefined);
    departures.begin();
    regroup();
    departures.end();
    assert.deepEqual(lost, []);
    assert.ok(recovery.isGrouped(1));
  });
});
