/** Closes what was opened, last opened first, however the work between ends. */
export class Closing {
  readonly #closers: (() => Promise<void> | void)[] = [];

  /** Registers how to close what was just opened. */
  add(close: () => Promise<void> | void): void {
    this.#closers.push(close);
  }

  /** Runs the work, then closes everything. If the work fails, its error is thrown and those of closing are dropped. */
  async around<Result>(work: () => Promise<Result>): Promise<Result> {
    let result: Result;
    try {
      result = await work();
    } catch (error) {
      await this.close().catch(() => undefined);
      throw error;
    }
    await this.close();
    return result;
  }

  /** Closes everything, even if one of them fails; throws the first failure. */
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
