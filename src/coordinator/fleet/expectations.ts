import { Deferred } from '../../common/deferred.js';

/**
 * What a run waits for. Each wait ends with its answer, with the first fault of the run (whatever comes after follows
 * from it), or when its time is up: nothing waits for ever.
 */
export class Expectations {
  readonly #open = new Set<Deferred<void>>();
  #fault: Error | undefined;

  get failed(): boolean {
    return this.#fault !== undefined;
  }

  /** Ends every wait, those to come as well. */
  fail(error: Error): void {
    this.#fault ??= error;
    for (const deferred of this.#open) deferred.reject(this.#fault);
  }

  expect(): Deferred<void> {
    const deferred = new Deferred<void>();
    if (this.#fault) deferred.reject(this.#fault);
    this.#open.add(deferred);
    const forget = (): void => {
      this.#open.delete(deferred);
    };
    deferred.promise.then(forget, forget);
    return deferred;
  }

  /** Waits for so many milliseconds at most. `onLate` must fail the run, and can say who is late. */
  async within(milliseconds: number, awaited: Deferred<void>, onLate: () => void): Promise<void> {
    const timer = setTimeout(onLate, milliseconds);
    try {
      await awaited.promise;
    } finally {
      clearTimeout(timer);
    }
  }
}
