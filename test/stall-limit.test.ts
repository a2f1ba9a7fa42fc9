import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { describe, it, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { StallLimit } from './support/stall-limit.js';

const LIMIT = 2_500;

/** Resolves with whether the limit is over while a child runs a script. */
async function isOverWhile(t: TestContext, script: string): Promise<boolean> {
  const child = spawn(process.execPath, ['-e', script], { stdio: 'ignore' });
  t.after(() => child.kill('SIGKILL'));
  await sleep(300); // Starting is computing.
  const stall = new StallLimit(LIMIT, 20);
  const end = performance.now() + 2 * LIMIT;
  while (performance.now() < end) {
    if (stall.isOver) return true;
    await sleep(100);
  }
  return false;
}

describe('a limit of standstill', { skip: process.platform !== 'linux', concurrency: false }, () => {
  it('is over if a child sleeps', async (t) => {
    assert.equal(await isOverWhile(t, 'setInterval(() => undefined, 100)'), true);
  });

  it('is not over while a child computes', async (t) => {
    assert.equal(await isOverWhile(t, 'for (;;);'), false);
  });

  it('is over after five times as long, whatever a child computes', (t) => {
    const now = performance.now();
    t.mock.method(performance, 'now', () => now);
    const stall = new StallLimit(1_000);
    assert.equal(stall.isOver, false);
    for (let step = 1; step <= 5; step++) {
      t.mock.method(performance, 'now', () => now + step * 1_000);
      stall.restart();
      assert.equal(stall.isOver, false, String(step));
    }
    t.mock.method(performance, 'now', () => now + 5_001);
    stall.restart();
    assert.equal(stall.isOver, true);
  });
});
