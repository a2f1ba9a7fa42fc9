/**
 * Time in which this process could act. It does not count the time in which the process was stopped, its machine asleep
 * or its main thread busy: what others sent meanwhile is unread, so they must not be judged by it.
 */

/** Parts of a timer's time. A standstill of any length uses up one of them at most. */
const PARTS = 10;

/** Calls back once this process has been awake for so many milliseconds. Returns a function that cancels the timer. */
export function afterAwake(milliseconds: number, callback: () => void): () => void {
  const timer = startTimer(milliseconds, callback);
  return () => {
    clearInterval(timer);
  };
}

/** A signal that aborts once this process has been awake for so long. As AbortSignal.timeout, it keeps no process alive. */
export function awakeTimeout(milliseconds: number): AbortSignal {
  const controller = new AbortController();
  startTimer(milliseconds, () => {
    controller.abort(new Error('the time is up'));
  }).unref();
  return controller.signal;
}

/**
 * Waits for a promise, but no longer than this process has been awake for so many milliseconds. Returns whether it came in
 * time.
 */
export async function inAwakeTime(milliseconds: number, promise: Promise<unknown>): Promise<boolean> {
  let cancel = (): void => undefined;
  const late = new Promise<boolean>((resolve) => {
    cancel = afterAwake(milliseconds, () => {
      resolve(false);
    });
  });
  try {
    return await Promise.race([promise.then(() => true), late]);
  } finally {
    cancel();
  }
}

function startTimer(milliseconds: number, callback: () => void): NodeJS.Timeout {
  let left = PARTS;
  // Node takes no longer interval: that is 24 days, and ten times that for the timer.
  const part = Math.min(Math.ceil(milliseconds / PARTS), 2 ** 31 - 1);
  const timer = setInterval(() => {
    if (--left !== 0) return;
    clearInterval(timer);
    callback();
  }, part);
  return timer;
}

/** Milliseconds between two looks at the clock. A gap of more than two of them is a standstill. */
const TICK = 1_000;

/** A monotonic clock that stands still while this process does. */
export class AwakeClock {
  #seen: number;
  #missed = 0;

  /** `monotonic`: milliseconds of a clock that never goes back. */
  constructor(private readonly monotonic: () => number) {
    this.#seen = monotonic();
    setInterval(() => this.now(), TICK).unref();
  }

  /** Milliseconds. */
  now(): number {
    const now = this.monotonic();
    const gap = now - this.#seen;
    if (gap > 2 * TICK) this.#missed += gap - TICK;
    this.#seen = now;
    return now - this.#missed;
  }
}

const clock = new AwakeClock(() => performance.now());

/** Milliseconds that this process was awake, counted from any time. */
export function awakeTime(): number {
  return clock.now();
}
