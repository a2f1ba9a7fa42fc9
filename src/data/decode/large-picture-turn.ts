const FREE = 0;
const TAKEN = 1;

/**
 * Lets one thread at a time decode a large picture, so that the memory of the largest admissible one is taken once
 * and not once for each thread. A waiting thread sleeps.
 */
export class LargePictureTurn {
  /** State that all threads share. */
  readonly shared: Int32Array<SharedArrayBuffer>;

  constructor(shared = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))) {
    this.shared = shared;
  }

  async hold<T>(work: () => Promise<T>): Promise<T> {
    while (Atomics.compareExchange(this.shared, 0, FREE, TAKEN) !== FREE) Atomics.wait(this.shared, 0, TAKEN);
    try {
      return await work();
    } finally {
      Atomics.store(this.shared, 0, FREE);
      Atomics.notify(this.shared, 0, 1);
    }
  }
}
