/** Pauses before a worker is started again after its first, second, ... failure in a row, in milliseconds. */
const PAUSES = [0, 1_000, 2_000, 4_000] as const;

/** Consecutive steps after which earlier failures of a worker are forgotten. */
const HEALTHY_STEPS = 5;

/** Counts the failures in a row of one place where a worker runs: a GPU of this machine, or another machine. */
export class RestartPolicy {
  #failures = 0;
  #steps = 0;

  /** Returns the milliseconds until the slot is used again; undefined: it is not. */
  failed(): number | undefined {
    this.#steps = 0;
    return PAUSES[this.#failures++];
  }

  /** True if the next failure exceeds the limit. */
  get givenUp(): boolean {
    return this.#failures > PAUSES.length;
  }

  get failures(): number {
    return this.#failures;
  }

  /** A step was done with this worker. */
  served(): void {
    if (++this.#steps >= HEALTHY_STEPS) this.#failures = 0;
  }
}
