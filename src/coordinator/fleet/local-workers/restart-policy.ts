/** Pauses before a worker is started again after its first, second, ... failure in a row, in milliseconds. */
const PAUSES = [0, 1_000, 2_000, 4_000] as const;

/** So many steps show that a worker works: its earlier failures are forgotten. */
const GOOD_SERVICE = 5;

/** Counts the failures in a row of one place where a worker runs: a GPU of this machine, or another machine. */
export class RestartPolicy {
  #failures = 0;
  #steps = 0;

  /** How long to wait before the place is used again, in milliseconds; undefined: not again. */
  failed(): number | undefined {
    this.#steps = 0;
    return PAUSES[this.#failures++];
  }

  /** Whether another failure is one too many. */
  get givenUp(): boolean {
    return this.#failures > PAUSES.length;
  }

  get failures(): number {
    return this.#failures;
  }

  /** A step was done with this worker. */
  served(): void {
    if (++this.#steps >= GOOD_SERVICE) this.#failures = 0;
  }
}
