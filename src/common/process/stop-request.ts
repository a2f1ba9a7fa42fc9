import { exitNow } from './exit-now.js';
import { SIGNAL_EXIT_CODES, type StopSignal } from './signal-exit.js';
import { onStopSignals } from './stop-signals.js';

/**
 * Ends a run in order at the first Ctrl-C, SIGTERM or hangup, and at once at the second Ctrl-C or SIGTERM. The workers of
 * this machine leave signals to their coordinator, and end with it.
 */
export class StopRequest {
  readonly #controller = new AbortController();
  #exitCode: number | undefined;
  #isAskedOtherwise = false;
  readonly #release: () => void;

  constructor(private readonly onFirst: (signal: string) => void) {
    this.#release = onStopSignals((name, isInsisted) => {
      this.#receive(name, isInsisted);
    });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** That of the signal which asked first, if one has. */
  get exitCode(): number | undefined {
    return this.#exitCode;
  }

  /** True if a user, not a signal, stopped the run: no supervisor will restart it. */
  get isForGood(): boolean {
    return this.signal.aborted && this.#exitCode === undefined;
  }

  /** Requests a stop as the first signal does. `by`: origin of the request. */
  request(by: string): void {
    if (this.signal.aborted) return;
    this.#isAskedOtherwise = true;
    this.#controller.abort();
    this.onFirst(by);
  }

  /** Gives the signals back their usual meaning. */
  close(): void {
    this.#release();
  }

  #receive(name: StopSignal, isInsisted: boolean): void {
    if (isInsisted || (this.#isAskedOtherwise && name !== 'SIGHUP')) void exitNow(SIGNAL_EXIT_CODES[name]);
    if (this.signal.aborted) return;
    this.#exitCode = SIGNAL_EXIT_CODES[name];
    this.#controller.abort();
    this.onFirst(name);
  }
}
