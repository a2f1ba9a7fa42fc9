/**
 * Finds the connections that ended before they became one without a word from ZeroMQ: it reports bad keys and broken
 * handshakes, but neither old versions of itself nor other protocols. All that began an interval ago must have ended
 * by now, one way or the other; what is missing among the ends was never reported.
 */
export class HandshakeCount {
  #begun = 0;
  #begunBefore = 0;
  #ended = 0;
  #overlooked = 0;

  begun(): void {
    this.#begun++;
  }

  /** Reported, well or badly. */
  ended(): void {
    this.#ended++;
  }

  /** Returns how many more there were. To be called at intervals longer than the handshake timeout. */
  overlooked(): number {
    const more = Math.max(0, this.#begunBefore - this.#ended - this.#overlooked);
    this.#overlooked += more;
    this.#begunBefore = this.#begun;
    return more;
  }
}
