import type { Socket } from 'node:net';

/** Bytes that may be on their way in one direction; more wait in the sender's socket. */
const ON_THE_WAY = 4 * 1024 * 1024;

/** One direction of a connection: passes bytes on in order, some time after they came, unless it stands still. */
export class DelayedPipe {
  readonly #queue: { readonly what: Uint8Array | 'end' | 'close'; readonly due: number }[] = [];
  #queued = 0;
  #stalled = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly from: Socket,
    private readonly to: Socket,
    /** What becomes of some bytes, and how many milliseconds they take. */
    private readonly change: (bytes: Uint8Array) => Uint8Array,
    private readonly latency: () => number,
  ) {
    from.on('data', (bytes) => {
      this.#queued += bytes.length;
      if (this.#queued > ON_THE_WAY) from.pause();
      this.#add(this.change(bytes));
    });
    for (const event of ['end', 'close'] as const)
      from.on(event, () => {
        this.#add(event);
      });
    to.on('drain', () => {
      this.#goOn();
    });
    to.on('close', () => {
      clearTimeout(this.#timer);
    });
  }

  stall(): void {
    this.#stalled = true;
    this.from.pause();
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  resume(): void {
    this.#stalled = false;
    this.#goOn();
  }

  #add(what: Uint8Array | 'end' | 'close'): void {
    this.#queue.push({ what, due: performance.now() + this.latency() });
    this.#goOn();
  }

  #goOn(): void {
    if (this.#stalled || this.#timer || this.to.destroyed) return;
    for (let next = this.#queue.at(0); next && !this.to.writableNeedDrain; next = this.#queue.at(0)) {
      const wait = next.due - performance.now();
      if (wait > 0) {
        this.#timer = setTimeout(() => {
          this.#timer = undefined;
          this.#goOn();
        }, wait);
        break;
      }
      this.#queue.shift();
      this.#deliver(next.what);
    }
    if (this.#queued <= ON_THE_WAY) this.from.resume();
  }

  #deliver(what: Uint8Array | 'end' | 'close'): void {
    if (what === 'end') this.to.end();
    else if (what === 'close') this.to.destroySoon();
    else {
      this.#queued -= what.length;
      this.to.write(what);
    }
  }
}
