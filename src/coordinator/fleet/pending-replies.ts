import { afterAwake } from '../../common/process/awake.js';
import { Deferred } from '../../common/deferred.js';
import type { WorkerLost } from './worker-lost.js';

/**
 * Replies that the run waits for. Each wait ends with its reply, the loss of a worker that it needs, the first fault
 * of the run, or its timeout.
 */
export class PendingReplies {
  /** Each with the workers that it needs. */
  readonly #open = new Map<Deferred<void>, (worker: number) => boolean>();
  #fault: Error | undefined;

  get failed(): boolean {
    return this.#fault !== undefined;
  }

  /** Ends every wait, those to come as well. */
  fail(error: Error): void {
    this.#fault ??= error;
    for (const deferred of this.#open.keys()) deferred.reject(this.#fault);
  }

  /** Ends every wait that needs this worker. */
  lose(loss: WorkerLost): void {
    for (const [deferred, needs] of this.#open) if (needs(loss.worker)) deferred.reject(loss);
  }

  expect(needs: (worker: number) => boolean = () => false): Deferred<void> {
    const deferred = new Deferred<void>();
    if (this.#fault) deferred.reject(this.#fault);
    this.#open.set(deferred, needs);
    const forget = (): void => {
      this.#open.delete(deferred);
    };
    deferred.promise.then(forget, forget);
    return deferred;
  }

  /**
   * Waits for so many milliseconds at most, a standstill of this process not counted. `onLate` can end the wait in its own
   * way, and report the late workers.
   */
  async within(milliseconds: number, awaited: Deferred<void>, onLate: () => void): Promise<void> {
    const cancel = afterAwake(milliseconds, () => {
      onLate();
      awaited.reject(new Error(`nothing came in ${Math.round(milliseconds / 1000)} s`));
    });
    try {
      await awaited.promise;
    } finally {
      cancel();
    }
  }
}
