import { Deferred } from '../common/deferred.js';
import type { Bodies } from './message.js';
import { Rejection } from './rejection.js';

/** Chunks that are asked for ahead: enough to keep a connection busy, and all that can pile up anywhere. */
const WINDOW = 4;

/** Fetches a large array chunk by chunk. The receiver asks, so it never gets more than it can take. */
export class Pull {
  readonly #done = new Deferred<void>();
  #asked = 0;
  #received = 0;
  #taken: Promise<void> = Promise.resolve();

  constructor(
    private readonly total: number,
    /** Bytes of each chunk but the last. */
    private readonly chunkBytes: number,
    private readonly ask: (offset: number) => Promise<void>,
    private readonly take: (payload: Uint8Array, offset: number) => Promise<void> | void,
  ) {}

  /** Resolves when everything is here and taken. */
  start(): Promise<void> {
    for (let i = 0; i < WINDOW; i++) this.#askNext();
    return this.#done.promise;
  }

  /** Throws a Rejection for a chunk that was not asked for. */
  receive({ offset, total, payload }: Bodies['chunk']): void {
    if (total !== this.total || offset !== this.#received || offset >= this.#asked)
      throw new Rejection(
        'unexpected',
        `a chunk at ${offset} of ${total} where ${this.#received} of ${this.total} was next`,
      );
    if (payload.length !== Math.min(this.chunkBytes, total - offset))
      throw new Rejection('out_of_range', `a chunk of ${payload.length} bytes`);
    this.#received += payload.length;
    this.#taken = this.#taken.then(() => this.take(payload, offset));
    this.#taken.then(() => {
      if (offset + payload.length === this.total) this.#done.resolve();
      else this.#askNext();
    }, this.#done.reject);
  }

  cancel(reason: Error): void {
    this.#done.reject(reason);
  }

  #askNext(): void {
    if (this.#asked >= this.total) return;
    const offset = this.#asked;
    this.#asked += this.chunkBytes;
    this.ask(offset).catch(this.#done.reject);
  }
}
