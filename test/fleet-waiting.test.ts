import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { StepDeadline } from '../src/coordinator/fleet/rounds/round-deadline.js';
import { Expectations } from '../src/coordinator/fleet/pending-waits.js';

describe('the deadline of a phase', () => {
  it('is ten minutes before anything is known, then six silences or 20 times the slowest of the last 20', () => {
    const deadline = new StepDeadline(10_000);
    assert.equal(deadline.milliseconds, 600_000);
    assert.equal(new StepDeadline(10_000, 4).milliseconds, 2_400_000);
    assert.equal(new StepDeadline(10_000, 1e6).milliseconds, 86_400_000);
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
    const expectations = new Expectations();
    const [one, other] = [expectations.expect(), expectations.expect()];
    other.resolve();
    await other.promise;
    assert.equal(expectations.failed, false);
    expectations.fail(new Error('first'));
    expectations.fail(new Error('second'));
    assert.equal(expectations.failed, true);
    await assert.rejects(one.promise, /^Error: first$/);
    await assert.rejects(expectations.expect().promise, /^Error: first$/);
    await other.promise;
  });

  it('is called late once, when its time is up', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout', 'setInterval'] });
    const expectations = new Expectations();
    let late = 0;
    const wait = expectations.within(1000, expectations.expect(), () => {
      late++;
      expectations.fail(new Error('too late'));
    });
    t.mock.timers.tick(999);
    assert.equal(late, 0);
    t.mock.timers.tick(1);
    await assert.rejects(wait, /^Error: too late$/);
    assert.equal(late, 1);

    const others = new Expectations();
    const answered = others.expect();
    const inTime = others.within(1000, answered, () => late++);
    answered.resolve();
    await inTime;
    t.mock.timers.tick(5000);
    assert.equal(late, 1);
  });
});
