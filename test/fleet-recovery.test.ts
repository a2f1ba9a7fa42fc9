import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { StateLost } from '../src/coordinator/compute-group.js';
import { Recovery } from '../src/coordinator/fleet/recovery.js';
import { faultRun } from './support/recovery-model.js';

const sources = (recovery: Recovery): string[] =>
  recovery.regroup().assignments.map(({ worker, source }) => `${worker} ${source}`);

describe('the recovery of a run', () => {
  it('begins with everybody at the origin', () => {
    const recovery = new Recovery(4, 0);
    recovery.join(1, undefined);
    recovery.join(0, undefined);
    assert.equal(recovery.ready, false);
    assert.deepEqual(recovery.regroup(), {
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
    recovery.regroup();
    for (const worker of [0, 1]) recovery.prepared(worker);
    for (let update = 0; update < 3; update++) recovery.updated(true);
    return recovery;
  }

  it('moves the shards of who is gone, and gives a newcomer the state of one who has it', () => {
    const recovery = running();
    recovery.leave(0);
    assert.equal(recovery.ready, false);
    const alone = recovery.regroup();
    assert.deepEqual(alone.assignments, [{ worker: 1, shards: [0, 1, 2, 3], source: 'keep' }]);
    recovery.prepared(1);
    recovery.updated(true);
    recovery.join(2, undefined);
    assert.equal(recovery.ready, false, 'the next phase begins with the newcomer');
    const plan = recovery.regroup();
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
      recovery.regroup();
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
    assert.deepEqual(recovery.regroup(), {
      generation: 2,
      assignments: [
        { worker: 0, shards: [0, 1], source: 'catch up' },
        { worker: 1, shards: [2, 3], source: 'fetch' },
      ],
      holder: 0,
    });
  });

  it('goes back where nobody holds the state', () => {
    const recovery = running();
    recovery.leave(0);
    recovery.leave(1);
    recovery.join(0, undefined);
    recovery.join(1, 1);
    assert.throws(() => recovery.regroup(), StateLost);
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
    let [lost, rewound, caughtUp, again] = [0, 0, 0, 0];
    for (let seed = 0; seed < 5_000; seed++) {
      const run = faultRun(seed);
      assert.equal(run.updates, run.wanted, `run ${seed} ended early`);
      lost += run.lost;
      rewound += run.rewound;
      caughtUp += run.caughtUp;
      again += run.again;
    }
    // The faults did happen.
    const counts = `${lost} ${rewound} ${caughtUp} ${again}`;
    assert.ok(lost > 10_000 && rewound > 500 && caughtUp > 500 && again > 500, counts);
  });
});
