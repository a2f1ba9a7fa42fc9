/**
 * What a phase may take before anything is known, in milliseconds, for each of its batches and at most: the first one
 * builds kernels and fills caches.
 */
const FIRST = 600_000;
const LONGEST_FIRST = 24 * 3_600_000;
/** And later at least so many times the silence that is put up with, however fast the ones before were. */
const LEAST_SILENCES = 6;
/** How many times as long as the slowest of the last phases one may take. */
const PATIENCE = 20;
const REMEMBERED = 20;

/** How long a phase may take: a step that never ends is no heartbeat's business, and a slow machine is no fault. */
export class StepDeadline {
  readonly #recent: number[] = [];

  /** `liveness`: the silence that is put up with, in milliseconds. */
  constructor(
    private readonly liveness: number,
    private readonly batches = 1,
  ) {}

  get milliseconds(): number {
    if (this.#recent.length === 0) return Math.min(this.batches * FIRST, LONGEST_FIRST);
    return Math.max(LEAST_SILENCES * this.liveness, PATIENCE * Math.max(...this.#recent));
  }

  took(milliseconds: number): void {
    this.#recent.push(milliseconds);
    if (this.#recent.length > REMEMBERED) this.#recent.shift();
  }
}
