import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { afterAwake, AwakeClock, inAwakeTime } from '../src/common/process/awake.js';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('a clock that stands still with its process', () => {
  it('counts late looks of a busy machine, and of a standstill not more than one look', () => {
    let now = 5_000;
    const clock = new AwakeClock(() => now);
    const begun = clock.now();
    for (const passed of [1_000, 1_900, 500]) {
      now += passed;
      clock.now();
    }
    assert.equal(clock.now() - begun, 3_400);
    now += 3_600_000;
    assert.equal(clock.now() - begun, 4_400);
    now += 1_000;
    assert.equal(clock.now() - begun, 5_400);
  });
});

describe('a deadline', () => {
  it('comes after its time, and not if it is cancelled', (t) => {
    t.mock.timers.enable({ apis: ['setInterval'] });
    let calls = 0;
    afterAwake(60_000, () => calls++);
    const cancel = afterAwake(30_000, () => calls++);
    t.mock.timers.tick(29_999);
    cancel();
    t.mock.timers.tick(30_000);
    assert.equal(calls, 0);
    t.mock.timers.tick(1);
    assert.equal(calls, 1);
    t.mock.timers.tick(600_000);
    assert.equal(calls, 1);
  });

  it('is not over when a process wakes from a standstill of any length', () => {
    let calls = 0;
    const cancel = afterAwake(200, () => calls++);
    // Node's timers are all due after that, and come once each.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500);
    return new Promise<void>((resolve) => {
      setTimeout(() => {
        assert.equal(calls, 0);
        cancel();
        resolve();
      }, 0);
    });
  });

  it('ends the wait for a promise, and says whether that came in time', async (t) => {
    t.mock.timers.enable({ apis: ['setInterval'] });
    assert.equal(await inAwakeTime(1_000, Promise.resolve()), true);
    const late = inAwakeTime(1_000, new Promise(() => undefined));
    t.mock.timers.tick(1_000);
    await turn();
    assert.equal(await late, false);
    await assert.rejects(inAwakeTime(1_000, Promise.reject(new Error('broken'))), /broken/);
  });
});
