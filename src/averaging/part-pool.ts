import { PART_FLOATS, SummingMemory } from './summing-memory.js';

/** Arrays for parts of partial sums, used again and again: as many as are needed at once are ever made. */
export class PartPool {
  readonly #memory = new SummingMemory();
  readonly #free: Float32Array[] = [];
  /** In use, by where they begin. */
  readonly #used = new Map<number, Float32Array>();

  /** The sum of two parts; those of them that are of this pool are released, or hold the sum. */
  sum(left: Float32Array, right: Float32Array): Float32Array {
    const own = [left, right].find((part) => this.#owns(part)) ?? this.#take().subarray(0, left.length);
    this.#memory.add(own, left, right);
    for (const part of [left, right]) if (part !== own) this.release(part);
    return own;
  }

  /** Of this pool or not. */
  release(part: Float32Array): void {
    if (!this.#owns(part)) return;
    const array = this.#used.get(part.byteOffset);
    this.#used.delete(part.byteOffset);
    if (array) this.#free.push(array);
  }

  /** A round is over: what was sent elsewhere has been added there. */
  releaseAll(): void {
    this.#free.push(...this.#used.values());
    this.#used.clear();
  }

  #take(): Float32Array {
    const array = this.#free.pop() ?? this.#memory.allocate(PART_FLOATS);
    this.#used.set(array.byteOffset, array);
    return array;
  }

  #owns({ buffer, byteOffset }: Float32Array): boolean {
    return this.#used.get(byteOffset)?.buffer === buffer;
  }
}
