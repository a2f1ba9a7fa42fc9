import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { StateLost } from '../src/coordinator/executor.js';
import { Recovery } from '../src/coordinator/fleet/members/recovery.js';
import { faultRun } from './support/recovery-model.js';

const sources = (recovery: Recovery): string[] =>
  recovery.reassignment().assignments.map(({ worker, source }) => `${worker} ${source}`);

describe('the recovery of a run', () => {
  it('begins with everybody at the origin', () => {
    const recovery = new Recovery(4, 0);
    recovery.join(1, undefined);
    recovery.join(0, undefined);
    assert.equal(recovery.ready, false);
    assert.deepEqual(recovery.reassignment(), {
      generation: 1,
      assignments: [
        { worker: 0, shards: [0, 1], source: 'fetch' },
        { worker: 1, shards: [2, 3], source: 'fetch' },
      ],
      holder: undefined,
    });
    assert.equal(recovery.ready, false);
    recovery.prepared(1);
    assert.equal(recovery.ready, false);
    recovery.prepared(0);
    assert.equal(recovery.ready, true);
    assert.deepEqual(recovery.holders(), [0, 1]);
  });

  /** Two workers that have done three updates. */
  function running(): Recovery {
    const recovery = new Recovery(4, 0);
    for (const worker of [0, 1]) recovery.join(worker, undefined);
    recovery.reassignment();
    for (const worker of [0, 1]) recovery.prepared(worker);
    for (let update = 0; update < 3; update++) recovery.updated(true);
    return recovery;
  }

  it('moves the shards of who is gone, and gives a newcomer the state of one who has it', () => {
    const recovery = running();
    recovery.leave(0);
    assert.equal(recovery.ready, false);
    const alone = recovery.reassignment();
    assert.deepEqual(alone.assignments, [{ worker: 1, shards: [0, 1, 2, 3], source: 'keep' }]);
    recovery.prepared(1);
    recovery.updated(true);
    recovery.join(2, undefined);
    assert.equal(recovery.ready, false, 'the next phase begins with the newcomer');
    const plan = recovery.reassignment();
    assert.equal(plan.holder, 1);
    assert.deepEqual(plan.assignments, [
      { worker: 1, shards: [0, 1], source: 'keep' },
      { worker: 2, shards: [2, 3], source: 'fetch' },
    ]);
  });

  it('lets who missed one average catch up, and gives all of the state to who missed more', () => {
    for (const [holds, source] of [
      [3, 'keep'],
      [2, 'catch up'],
      [1, 'fetch'],
      [4, 'fetch'],
      [undefined, 'fetch'],
    ] as const) {
      const recovery = running();
      recovery.leave(0);
      recovery.join(0, holds);
      assert.deepEqual(sources(recovery), [`0 ${source}`, '1 keep']);
    }
  });

  it('takes an average of several updates for one: what was held before it is one behind', () => {
    for (const [holds, source] of [
      [16, 'keep'],
      [8, 'catch up'],
      [15, 'fetch'],
      [undefined, 'fetch'],
    ] as const) {
      const recovery = new Recovery(4, 0);
      for (const worker of [0, 1]) recovery.join(worker, undefined);
      recovery.reassignment();
      for (const worker of [0, 1]) recovery.prepared(worker);
      for (const next of [8, 16]) recovery.updated(true, next);
      recovery.leave(0);
      recovery.join(0, holds);
      assert.deepEqual(sources(recovery), [`0 ${source}`, '1 keep']);
    }
  });

  it('books what was sent as done: nobody is told twice to catch up', () => {
    const recovery = running();
    recovery.leave(0);
    recovery.join(0, 2);
    recovery.join(2, undefined);
    assert.deepEqual(sources(recovery), ['0 catch up', '1 keep', '2 fetch']);
    recovery.leave(1);
    assert.deepEqual(sources(recovery), ['0 keep', '2 fetch']);
  });

  it('goes on with those that come back with the state, even where nobody had it for a while', () => {
    const recovery = running();
    recovery.leave(0);
    recovery.leave(1);
    recovery.join(0, 2);
    recovery.join(1, undefined);
    assert.deepEqual(recovery.reassignment(), {
      generation: 2,
      assignments: [
        { worker: 0, shards: [0, 1], source: 'catch up' },
        { worker: 1, shards: [2, 3], source: 'fetch' },
      ],
      holder: 0,
    });
  });

  describe('where all of them missed the last update, and its average is not here', () => {
    /** Both come back with what they held before; update 3 has come to version 4. */
    function cutOff(holds: readonly (number | undefined)[] = [3, 3]): Recovery {
      const recovery = running();
      recovery.updated(false);
      comeBack(recovery, holds);
      return recovery;
    }

    function comeBack(recovery: Recovery, holds: readonly (number | undefined)[]): void {
      for (const worker of [0, 1]) recovery.leave(worker);
      for (const [worker, version] of holds.entries()) recovery.join(worker, version);
    }

    function preparedAll(recovery: Recovery): void {
      for (const { worker } of recovery.reassignment().assignments) recovery.prepared(worker);
      assert.ok(recovery.ready);
    }

    it('has them make it again, and hands out no state until they have', () => {
      const recovery = cutOff();
      assert.deepEqual(recovery.holders(), []);
      preparedAll(recovery);
      assert.deepEqual([recovery.version, recovery.update, recovery.isBehind], [4, 3, true]);
      assert.deepEqual(recovery.holders(), []);
      recovery.updated(false);
      assert.deepEqual([recovery.version, recovery.update, recovery.isBehind], [4, 4, false]);
      assert.deepEqual(recovery.holders(), [0, 1]);
      recovery.updated(false);
      assert.equal(recovery.version, 5);
    });

    it('does so as often as they are cut off', () => {
      const recovery = cutOff();
      preparedAll(recovery);
      comeBack(recovery, [3, 3]);
      preparedAll(recovery);
      recovery.updated(false);
      comeBack(recovery, [3, undefined]);
      assert.deepEqual(sources(recovery), ['0 keep', '1 fetch']);
      assert.deepEqual([recovery.version, recovery.update], [4, 3]);
    });

    it('does not where one of them has made it, or comes back before they have made it again', () => {
      assert.deepEqual(sources(cutOff([3, 4])), ['0 fetch', '1 keep']);
      const recovery = cutOff([3]);
      preparedAll(recovery);
      recovery.join(1, 4);
      assert.equal(recovery.ready, false);
      assert.deepEqual(recovery.holders(), [1]);
      assert.deepEqual(sources(recovery), ['0 fetch', '1 keep']);
      assert.equal(recovery.isBehind, false);
      const late = cutOff([3]);
      preparedAll(late);
      late.updated(true);
      late.join(1, 4);
      assert.deepEqual(sources(late), ['0 keep', '1 keep']);
    });

    it('gives the state before it to who has none, and goes back where nobody has that either', () => {
      const recovery = cutOff([undefined, 3]);
      assert.equal(recovery.reassignment().holder, 1);
      recovery.leave(1);
      assert.throws(() => recovery.reassignment(), StateLost);
      assert.throws(() => cutOff([2, undefined]).reassignment(), StateLost);
    });

    it('goes on with who was told to fetch the state of one who is gone before that was done', () => {
      const recovery = cutOff([3, 4]);
      assert.equal(recovery.reassignment().holder, 1);
      recovery.leave(1);
      recovery.join(1, undefined);
      assert.deepEqual(sources(recovery), ['0 still', '1 fetch']);
      assert.equal(recovery.isBehind, true);
      // It had fetched it all the same, and says so when it was taken for another.
      recovery.leave(0);
      recovery.join(0, 4);
      assert.deepEqual(sources(recovery), ['0 keep', '1 fetch']);
    });

    it('makes an average of several updates again as one, also that which another has taken the place of', () => {
      const recovery = new Recovery(4, 0);
      for (const worker of [0, 1]) recovery.join(worker, undefined);
      preparedAll(recovery);
      for (const next of [8, 16]) recovery.updated(true, next);
      recovery.dropAverage();
      comeBack(recovery, [8, 8]);
      preparedAll(recovery);
      assert.deepEqual([recovery.version, recovery.update], [16, 8]);
      assert.throws(() => {
        recovery.updated(true, 12);
      }, /^Error: update 8 already produced version 16, now 12$/);
      recovery.updated(true, 16);
      assert.deepEqual(recovery.holders(), [0, 1]);
    });
  });

  it('takes nobody who was preparing for what the run was for one of what it went back to', () => {
    const recovery = running();
    recovery.join(2, undefined);
    const { generation } = recovery.reassignment();
    recovery.leave(0);
    recovery.leave(1);
    assert.throws(() => recovery.reassignment(), StateLost);
    recovery.rewind(1);
    assert.notEqual(recovery.generation, generation);
  });

  it('goes back where nobody holds the state', () => {
    const recovery = running();
    recovery.leave(0);
    recovery.leave(1);
    recovery.join(0, undefined);
    recovery.join(1, 1);
    assert.throws(() => recovery.reassignment(), StateLost);
    recovery.rewind(1);
    assert.deepEqual(sources(recovery), ['0 fetch', '1 keep']);
  });

  it('keeps its group when a newcomer leaves before it has shards', () => {
    const recovery = running();
    recovery.join(2, undefined);
    recovery.leave(2);
    assert.equal(recovery.ready, true);
    recovery.rewind(0);
    recovery.join(2, undefined);
    recovery.leave(2);
    assert.equal(recovery.ready, false);
  });

  it('makes each update once on every worker, in 5,000 runs with faults at random moments', () => {
    let [lost, rewound, caughtUp, again, unsure] = [0, 0, 0, 0, 0];
    for (let seed = 0; seed < 5_000; seed++) {
      const run = faultRun(seed);
      assert.equal(run.updates, run.wanted, `run ${seed} ended early`);
      lost += run.lost;
      rewound += run.rewound;
      caughtUp += run.caughtUp;
      again += run.again;
      unsure += run.unsure;
    }
    // The faults did happen.
    const counts = `${lost} ${rewound} ${caughtUp} ${again} ${unsure}`;
    assert.ok(lost > 10_000 && Math.min(rewound, caughtUp, again) > 500 && unsure > 0, counts);
  });
});
