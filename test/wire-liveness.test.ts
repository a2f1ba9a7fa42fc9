import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { Liveness } from '../src/wire/liveness.js';

const TIMEOUT = 10_000;
const BEAT = TIMEOUT / 10;

/** A liveness whose clock and timer the test holds. */
class Watch {
  beats = 0;
  /** When the other side was heard last; who is judged silent is missed then. */
  heard = 0;
  missed: number | undefined;
  judged = 0;
  now = 0;
  readonly #liveness: Liveness;

  constructor(private readonly timers: TestContext['mock']['timers']) {
    timers.enable({ apis: ['setInterval'] });
    this.#liveness = new Liveness({
      timeout: TIMEOUT,
      beat: () => this.beats++,
      judge: (since) => {
        this.judged++;
        if (this.heard < since) this.missed ??= this.now;
      },
      now: () => this.now,
    });
  }

  /** The clock goes on for so many milliseconds in all, with a tick of the timer after each `beat` of them. */
  pass(milliseconds: number, beat = BEAT): void {
    for (let passed = 0; passed < milliseconds; passed += beat) {
      this.now += beat;
      this.timers.tick(BEAT);
    }
  }

  /** This process stands still: the clock goes on, and its timer ticks once when it is over. */
  sleep(milliseconds: number): void {
    this.now += milliseconds;
    this.timers.tick(BEAT);
  }

  forget(): void {
    this.judged = 0;
    this.missed = undefined;
  }

  stop(): void {
    this.#liveness.stop();
  }
}

describe('liveness', () => {
  it('says ten times in its timeout that this side lives, until it is stopped', (t) => {
    const watch = new Watch(t.mock.timers);
    watch.pass(TIMEOUT);
    assert.equal(watch.beats, 10);
    watch.stop();
    watch.pass(TIMEOUT);
    assert.equal(watch.beats, 10);
  });

  it('notices silence within the timeout, and at most two beats earlier', (t) => {
    // The last sign of life came anywhere between two ticks.
    for (let after = 0; after < BEAT; after += 100) {
      const watch = new Watch(t.mock.timers);
      watch.pass(3 * TIMEOUT, BEAT);
      watch.heard = watch.now + after;
      watch.forget();
      const { heard } = watch;
      watch.pass(2 * TIMEOUT);
      assert.ok(watch.missed !== undefined && watch.missed - heard <= TIMEOUT, `${after} ms: too late`);
      assert.ok(watch.missed - heard > TIMEOUT - 2 * BEAT, `${after} ms: too early`);
      watch.stop();
      t.mock.timers.reset();
    }
  });

  it('judges nobody before the time has passed once, nor again after this process itself stood still', (t) => {
    const watch = new Watch(t.mock.timers);
    watch.pass(TIMEOUT - 3 * BEAT);
    assert.equal(watch.judged, 0);
    watch.pass(TIMEOUT);
    assert.notEqual(watch.judged, 0);

    watch.forget();
    watch.sleep(3_600_000);
    watch.pass(TIMEOUT - 3 * BEAT);
    assert.equal(watch.judged, 0);
    // Who has been silent since this process woke is missed then.
    watch.pass(2 * BEAT);
    assert.notEqual(watch.missed, undefined);
    watch.stop();
  });

  it('judges on a machine whose timers are late', (t) => {
    const watch = new Watch(t.mock.timers);
    watch.pass(3 * TIMEOUT, 1.9 * BEAT);
    assert.notEqual(watch.missed, undefined);
    watch.stop();
  });
});
