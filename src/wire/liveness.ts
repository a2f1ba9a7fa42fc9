/** Heartbeats and checks per timeout. */
const BEATS = 10;

export interface LivenessOptions {
  /** Silence for so many milliseconds is a lost connection. */
  readonly timeout: number;
  /** Says that this side is alive. */
  readonly beat: () => void;
  /** Judges what was heard: called with a time of the same clock as `now`; what was not heard since is silent. */
  readonly judge: (since: number) => void;
  /** Milliseconds of a clock that never goes back. */
  readonly now?: () => number;
}

/**
 * The heartbeat of one end of a connection. A process that was itself stopped, or its machine asleep, has heard
 * nothing for that reason alone: it gives the others their whole time again before it judges them.
 */
export class Liveness {
  readonly #timer: NodeJS.Timeout;
  readonly #now: () => number;
  #lastTick: number;
  /** Start of the time for which peers are checked. */
  #awakeSince: number;

  constructor(private readonly options: LivenessOptions) {
    this.#now = options.now ?? (() => performance.now());
    this.#lastTick = this.#now();
    this.#awakeSince = this.#lastTick;
    const interval = options.timeout / BEATS;
    this.#timer = setInterval(() => {
      this.#tick(interval);
    }, interval);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #tick(interval: number): void {
    const now = this.#now();
    if (now - this.#lastTick > 2 * interval) this.#awakeSince = now;
    this.#lastTick = now;
    this.options.beat();
    // One beat early, so that what a worker's silence costs is noticed within the time that is stated.
    const since = now - this.options.timeout + 2 * interval;
    if (since >= this.#awakeSince) this.options.judge(since);
  }
}
