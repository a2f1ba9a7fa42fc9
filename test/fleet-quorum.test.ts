import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import { beforeEach, describe, it } from 'node:test';
import { Interrupted } from '../src/common/errors.js';
import { WorkersGone } from '../src/coordinator/executor.js';
import type { Fallback } from '../src/options/fallback.js';
import { PendingReplies } from '../src/coordinator/fleet/pending-replies.js';
import type { LocalWorkers } from '../src/coordinator/fleet/local-workers/local-workers.js';
import { Quorum } from '../src/coordinator/fleet/members/quorum.js';
import { Recovery } from '../src/coordinator/fleet/members/recovery.js';

describe('the workers that a run needs', () => {
  let recovery: Recovery;
  let lines: string[];
  let stop: AbortController;
  beforeEach(() => {
    recovery = new Recovery(4, 0);
    lines = [];
    stop = new AbortController();
  });

  /** Three to begin with; `remaining` places of this machine can still have one, or they come from elsewhere. */
  function quorum(
    minWorkers: number,
    remaining?: () => number,
    fallback: Fallback = 'single-node',
    awaitsReturn = () => false,
  ): Quorum {
    const local =
      remaining &&
      ({
        get remaining() {
          return remaining();
        },
        get awaitsReturn() {
          return awaitsReturn();
        },
      } as LocalWorkers);
    return new Quorum({
      ...{ workers: 3, minWorkers, fallback, recovery, replies: new PendingReplies() },
      ...{ local: () => local, log: (line: string) => lines.push(line), signal: stop.signal },
    });
  }

  function come(quorum: Quorum, worker: number, holds?: number): void {
    recovery.join(worker, holds);
    quorum.changed();
  }

  it('are all to begin with, and the least to go on with', async () => {
    const all = quorum(2);
    let gathered = false;
    const gathering = all.gathered().then(() => (gathered = true));
    for (const worker of [0, 1]) {
      come(all, worker);
      await turn();
    }
    assert.equal(gathered, false);
    come(all, 2);
    await gathering;
    assert.deepEqual(lines, []);

    all.begun();
    recovery.leave(0);
    assert.ok(all.isReached);
    recovery.leave(1);
    assert.ok(!all.isReached);
    const again = all.gathered();
    await turn();
    come(all, 1);
    await again;
    assert.deepEqual(lines, ['waiting for workers: 1 of 2 are here']);
  });

  it('are fewer where some of this machine were given up, but no fewer than the least', async () => {
    let remaining = 3;
    const here = quorum(2, () => remaining);
    for (const worker of [0, 1]) recovery.join(worker, undefined);
    assert.ok(!here.isReached);
    remaining = 2;
    assert.ok(here.isReached);
    recovery.leave(1);
    remaining = 1;
    assert.ok(!here.isReached);
    await assert.rejects(here.gathered(), /^WorkersGone: only 1 worker is left$/);
  });

  it('are waited for if they may bring back the state that nobody else has', async () => {
    let awaitsReturn = true;
    const here = quorum(
      1,
      () => 2,
      'stop',
      () => awaitsReturn,
    );
    here.begun();
    recovery.join(0, undefined);
    assert.ok(here.isReached, 'the state that the run begins with can always be had');
    recovery.reassignment();
    recovery.prepared(0);
    recovery.updated(true);
    assert.ok(here.isReached);
    recovery.leave(0);
    recovery.join(1, undefined);
    assert.ok(!here.isReached);
    const gathering = here.gathered();
    await turn();
    assert.deepEqual(lines, ['waiting for workers: those with the state may come back']);
    come(here, 0, recovery.version);
    await gathering;
    // Without them, the run goes back.
    recovery.leave(0);
    assert.ok(!here.isReached);
    awaitsReturn = false;
    assert.ok(here.isReached);
  });

  it('are gone where this machine can start none, before the first step too', async () => {
    for (const begun of [false, true]) {
      const none = quorum(1, () => 0);
      if (begun) none.begun();
      assert.ok(!none.isReached);
      await assert.rejects(none.gathered(), /^WorkersGone: no worker is left$/);
    }
  });

  it('are waited for so long: ten minutes, one where none is left, and for ever where the run is to wait', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout', 'setInterval'] });
    const cases: [Fallback, begun: boolean, here: number, milliseconds: number | undefined][] = [
      ['single-node', false, 0, 600_000],
      ['stop', false, 2, 600_000],
      ['single-node', true, 0, 60_000],
      ['stop', true, 1, 600_000],
      ['wait', false, 0, undefined],
      ['wait', true, 0, undefined],
    ];
    for (const [fallback, begun, here, milliseconds] of cases) {
      recovery = new Recovery(4, 0);
      const patient = quorum(2, undefined, fallback);
      if (begun) patient.begun();
      for (let worker = 0; worker < here; worker++) recovery.join(worker, undefined);
      const ended: unknown[] = [];
      const gathering = patient.gathered().then(
        () => ended.push('gathered'),
        (error: unknown) => ended.push(error),
      );
      t.mock.timers.tick((milliseconds ?? 86_400_000) - 1_000);
      await turn();
      assert.equal(ended.length, 0, `${fallback}, ${begun}, ${here}`);
      t.mock.timers.tick(1_000);
      await turn();
      if (milliseconds === undefined) {
        for (let worker = 0; worker < 3; worker++) come(patient, worker);
        await gathering;
        assert.deepEqual(ended, ['gathered']);
      } else assert.ok(ended[0] instanceof WorkersGone, `${fallback}, ${begun}, ${here}`);
    }
  });

  it('are waited for no longer when the user wants to stop', async () => {
    const waiting = quorum(1, undefined, 'wait');
    const gathering = waiting.gathered();
    stop.abort();
    await assert.rejects(gathering, Interrupted);
    await assert.rejects(waiting.gathered(), Interrupted);
  });
});
