/** Milliseconds for each batch of the first phase, which builds kernels and fills caches, and the upper bound. */
const FIRST = 600_000;
const LONGEST_FIRST = 24 * 3_600_000;
/** And later at least so many times the silence that is put up with, however fast the ones before were. */
const LEAST_SILENCES = 6;
/** Multiple of the slowest recent phase that a phase may take. */
const SLOWEST_FACTOR = 20;
const REMEMBERED = 20;

/**
 * Deadline of a round. Heartbeats do not detect a hung step. The deadline adapts, so that slow machines are not
 * reported.
 */
export class RoundDeadline {
  readonly #recent: number[] = [];

  /** `liveness`: the silence that is put up with, in milliseconds. */
  constructor(
    private readonly liveness: number,
    private readonly batches = 1,
  ) {}

  get milliseconds(): number {
    if (this.#recent.length === 0) return Math.min(this.batches * FIRST, LONGEST_FIRST);
    return Math.max(LEAST_SILENCES * this.liveness, SLOWEST_FACTOR * Math.max(...this.#recent));
  }

  took(milliseconds: number): void {
    this.#recent.push(milliseconds);
    if (this.#recent.length > REMEMBERED) this.#recent.shift();
  }
}
