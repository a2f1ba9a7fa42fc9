import { SIGNAL_EXIT_CODES, type StopSignal } from '../common/signal-exit.js';

/**
 * The first Ctrl-C (or SIGTERM, SIGHUP) asks for an orderly end, the second ends at once. The workers of this
 * machine leave signals to their coordinator, and end with it.
 */
export class StopRequest {
  readonly #controller = new AbortController();
  #exitCode: number | undefined;

  constructor(private readonly onFirst: (signal: string) => void) {
    for (const name of Object.keys(SIGNAL_EXIT_CODES)) process.on(name, this.#receive);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** That of the signal which asked first, if one has. */
  get exitCode(): number | undefined {
    return this.#exitCode;
  }

  /** Asked for by somebody, and not by a signal: nothing will start the run again by itself. */
  get isForGood(): boolean {
    return this.signal.aborted && this.#exitCode === undefined;
  }

  /** As the first signal does, on behalf of somebody else. */
  request(by: string): void {
    if (this.signal.aborted) return;
    this.#controller.abort();
    this.onFirst(by);
  }

  /** Gives the signals back their usual meaning. */
  close(): void {
    for (const name of Object.keys(SIGNAL_EXIT_CODES)) process.off(name, this.#receive);
  }

  readonly #receive = (name: StopSignal): void => {
    if (this.signal.aborted) process.exit(SIGNAL_EXIT_CODES[name]);
    this.#exitCode = SIGNAL_EXIT_CODES[name];
    this.#controller.abort();
    this.onFirst(name);
  };
}
