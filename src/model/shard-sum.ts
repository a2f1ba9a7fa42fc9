import { add, addAndDivide } from './float-loops.js';

/** A part of the vector: the next shard to add, and those that came before their turn. */
interface Part {
  next: number;
  readonly early: Map<number, Float32Array>;
  /** Once the part is whole: the sum of the squares of what it has of the gradient. */
  squares: number;
}

/**
 * Sums the shards' vectors in the order of the shards, whatever the order in which their parts come in: floating-point
 * sums depend on their order, and a run must not depend on who computed what, or how fast. A part that comes before
 * its turn is kept until then. With its last shard a part becomes the mean, before the other parts are whole.
 */
export class ShardSum {
  /** By offset. */
  readonly #parts = new Map<number, Part>();
  #missing: number;

  constructor(
    private readonly shards: number,
    private readonly into: Float32Array,
    /** Where in the vector the gradient ends, which it begins with. */
    private readonly gradientEnd: number,
  ) {
    this.#missing = shards * into.length;
  }

  /** Whether every part of every shard is in the mean. */
  get complete(): boolean {
    return this.#missing === 0;
  }

  /**
   * Adds a part of a shard's vector, and says whether it was the last that this part of the mean lacked. All shards
   * must be cut into the same parts. `part` is not copied: it must stay as it is until then.
   */
  add(shard: number, offset: number, part: Float32Array): boolean {
    const state = this.#parts.get(offset) ?? { next: 0, early: new Map<number, Float32Array>(), squares: 0 };
    this.#parts.set(offset, state);
    state.early.set(shard, part);
    for (let values = state.early.get(state.next); values; values = state.early.get(state.next)) {
      this.#accumulate(state, offset, values);
      state.early.delete(state.next);
      state.next++;
    }
    return state.next === this.shards;
  }

  /** The mean over the shards, in the array given to the constructor. */
  mean(): Float32Array {
    this.#requireComplete();
    return this.into;
  }

  /** Euclidean norm of the mean gradient; not finite where any element is not. */
  gradientNorm(): number {
    this.#requireComplete();
    // In the order of their places: whoever came last, the norm is the same.
    const parts = [...this.#parts].sort(([one], [other]) => one - other);
    return Math.sqrt(parts.reduce((sum, [, { squares }]) => sum + squares, 0));
  }

  #accumulate(state: Part, offset: number, values: Float32Array): void {
    const { shards, gradientEnd } = this;
    const sum = this.into.subarray(offset, offset + values.length);
    // A lone shard is added to negative zeros, which leave every number as it is.
    if (shards === 1) sum.fill(-0);
    if (state.next === shards - 1) {
      const end = Math.min(Math.max(0, gradientEnd - offset), sum.length);
      state.squares = addAndDivide(sum.subarray(0, end), values.subarray(0, end), shards);
      addAndDivide(sum.subarray(end), values.subarray(end), shards);
    } else if (state.next === 0) sum.set(values);
    else add(sum, values);
    this.#missing -= values.length;
  }

  #requireComplete(): void {
    if (!this.complete) throw new Error('a mean needs every part of every shard');
  }
}
