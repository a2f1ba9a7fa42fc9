import { addBfloat16, narrow } from './bfloat16.js';
import { PART_FLOATS, SummingMemory } from './summing-memory.js';

/** A part of a shard's vector or of a partial sum, in float32 or as bfloat16. Both operands of a sum are alike. */
export type Part = Float32Array | Uint16Array;

/** Arrays for parts of partial sums, used again and again: as many as are needed at once are ever made. */
export class PartPool {
  readonly #memory = new SummingMemory();
  readonly #free: Float32Array[] = [];
  /** In use, by where they begin. */
  readonly #used = new Map<number, Float32Array>();

  /** The sum of two parts; those of them that are of this pool are released, or hold the sum. */
  sum(left: Part, right: Part): Part {
    const own = [left, right].find((part) => this.#owns(part)) ?? this.#take(left);
    this.#add(own, left, right);
    for (const part of [left, right]) if (part !== own) this.release(part);
    return own;
  }

  /** Rounded to bfloat16. */
  narrow(floats: Float32Array): Uint16Array {
    const halves = this.#takeHalves(floats.length);
    narrow(this.#memory, halves, floats);
    return halves;
  }

  /** Releases a part. A part of another pool is ignored. */
  release(part: Part): void {
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

  #add(into: Part, left: Part, right: Part): void {
    if (into instanceof Float32Array && left instanceof Float32Array && right instanceof Float32Array)
      this.#memory.add(into, left, right);
    else if (into instanceof Uint16Array && left instanceof Uint16Array && right instanceof Uint16Array)
      addBfloat16(this.#memory, into, left, right);
    else throw new Error('cannot add parts in different wire formats');
  }

  #take(like: Part): Part {
    return like instanceof Uint16Array
      ? this.#takeHalves(like.length)
      : this.#takeFloats().subarray(0, like.length);
  }

  #takeHalves(length: number): Uint16Array {
    const { buffer, byteOffset } = this.#takeFloats();
    return new Uint16Array(buffer, byteOffset, length);
  }

  #takeFloats(): Float32Array {
    const array = this.#free.pop() ?? this.#memory.allocate(PART_FLOATS);
    this.#used.set(array.byteOffset, array);
    return array;
  }

  #owns({ buffer, byteOffset }: Part): boolean {
    return this.#used.get(byteOffset)?.buffer === buffer;
  }
}
