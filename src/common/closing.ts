/** Closes what was opened, last opened first, however the work between ends. */
export class Closing {
  readonly #closers: (() => Promise<void> | void)[] = [];

  /** Registers how to close what was just opened. */
  add(close: () => Promise<void> | void): void {
    this.#closers.push(close);
  }

  /** Closes everything, even where one of them fails; throws the first failure. */
  async close(): Promise<void> {
    let failure: { readonly error: unknown } | undefined;
    for (let close = this.#closers.pop(); close; close = this.#closers.pop()) {
      try {
        await close();
      } catch (error) {
        failure ??= { error };
      }
    }
    if (failure) throw failure.error;
  }
}
