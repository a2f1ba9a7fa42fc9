import { Deferred } from '../../common/deferred.js';

/** Lets a run be paused between two steps, resumed, and asked to end as Ctrl-C does. */
export class RunControl {
  #gate: Deferred<void> | undefined;

  constructor(
    private readonly stopRequested: AbortSignal,
    private readonly requestStop: (by: string) => void,
  ) {
    // Who waits at the gate is to end too.
    stopRequested.addEventListener('abort', () => this.#gate?.resolve(), { once: true });
  }

  get isPaused(): boolean {
    return this.#gate !== undefined && !this.isStopping;
  }

  get isStopping(): boolean {
    return this.stopRequested.aborted;
  }

  /** The step that is under way, or the round of local steps, is done to its end. False if nothing changes. */
  pause(): boolean {
    if (this.isPaused || this.isStopping) return false;
    this.#gate = new Deferred();
    return true;
  }

  resume(): boolean {
    if (!this.isPaused) return false;
    this.#gate?.resolve();
    this.#gate = undefined;
    return true;
  }

  stop(): boolean {
    if (this.isStopping) return false;
    this.requestStop('the page');
    return true;
  }

  /** Before each step. */
  async passed(): Promise<void> {
    while (this.isPaused) await this.#gate?.promise;
  }
}
