/** Sends one after the other: a ZeroMQ socket takes one pending send at a time. */
export class Outbox {
  #last: Promise<void> = Promise.resolve();

  /** Resolves when this send is done; a failed one does not hold up those behind it. */
  add(send: () => Promise<void>): Promise<void> {
    const done = this.#last.then(send);
    this.#last = done.catch(() => undefined);
    return done;
  }

  /** Resolves when everything that was added so far is sent or has failed. */
  async drained(): Promise<void> {
    await this.#last;
  }
}
