/** Ends at once, as a shell reports a program that was ended by this signal. */
const EXIT_CODES = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;
type StopSignal = keyof typeof EXIT_CODES;

/**
 * The first Ctrl-C (or SIGTERM, SIGHUP) asks for an orderly end, the second ends at once. The workers of this
 * machine leave signals to their coordinator, and end with it.
 */
export class StopRequest {
  readonly #controller = new AbortController();

  constructor(private readonly onFirst: (signal: string) => void) {
    for (const name of Object.keys(EXIT_CODES)) process.on(name, this.#receive);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** As the first signal does, on behalf of somebody else. */
  request(by: string): void {
    if (this.signal.aborted) return;
    this.#controller.abort();
    this.onFirst(by);
  }

  /** Gives the signals back their usual meaning. */
  close(): void {
    for (const name of Object.keys(EXIT_CODES)) process.off(name, this.#receive);
  }

  readonly #receive = (name: StopSignal): void => {
    if (this.signal.aborted) process.exit(EXIT_CODES[name]);
    this.#controller.abort();
    this.onFirst(name);
  };
}
