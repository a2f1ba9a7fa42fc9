import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RoundDeadline } from '../src/coordinator/fleet/rounds/round-deadline.js';
import { PendingReplies } from '../src/coordinator/fleet/pending-replies.js';

describe('the deadline of a phase', () => {
  it('is ten minutes before anything is known, then six silences or 20 times the slowest of the last 20', () => {
    const deadline = new RoundDeadline(10_000);
    assert.equal(deadline.milliseconds, 600_000);
    assert.equal(new RoundDeadline(10_000, 4).milliseconds, 2_400_000);
    assert.equal(new RoundDeadline(10_000, 1e6).milliseconds, 86_400_000);
    deadline.took(5);
    assert.equal(deadline.milliseconds, 60_000);
    deadline.took(10_000);
    deadline.took(4_000);
    assert.equal(deadline.milliseconds, 200_000);
    for (let i = 0; i < 18; i++) deadline.took(4_000);
    assert.equal(deadline.milliseconds, 200_000);
    deadline.took(4_000); // the one of 10 s is forgotten
    assert.equal(deadline.milliseconds, 80_000);
  });
});

describe('what a run waits for', () => {
  it('ends with the first fault, whatever comes after, for waits to come as well', async () => {
    const replies = new PendingReplies();
    const [one, other] = [replies.expect(), replies.expect()];
    other.resolve();
    await other.promise;
    assert.equal(replies.failed, false);
    replies.fail(new Error('first'));
    replies.fail(new Error('second'));
    assert.equal(replies.failed, true);
    await assert.rejects(one.promise, /^Error: first$/);
    await assert.rejects(replies.expect().promise, /^Error: first$/);
    await other.promise;
  });

  it('is called late once, when its time is up', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout', 'setInterval'] });
    const replies = new PendingReplies();
    let late = 0;
    const wait = replies.within(1000, replies.expect(), () => {
      late++;
      replies.fail(new Error('too late'));
    });
    t.mock.timers.tick(999);
    assert.equal(late, 0);
    t.mock.timers.tick(1);
    await assert.rejects(wait, /^Error: too late$/);
    assert.equal(late, 1);

    const others = new PendingReplies();
    const answered = others.expect();
    const inTime = others.within(1000, answered, () => late++);
    answered.resolve();
    await inTime;
    t.mock.timers.tick(5000);
    assert.equal(late, 1);
  });
});
