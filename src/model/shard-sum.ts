/**
 * Sums the shards' vectors in the order of the shards, whatever the order in which their parts come in: floating-point
 * sums depend on their order, and a run must not depend on who computed what, or how fast. A part that comes before
 * its turn is kept until then.
 */
export class ShardSum {
  readonly #sum: Float32Array;
  /** For each part, by its offset: the next shard to add, and those that came before their turn. */
  readonly #parts = new Map<number, { next: number; readonly early: Map<number, Float32Array> }>();
  #missing: number;

  constructor(
    private readonly shards: number,
    into: Float32Array,
  ) {
    this.#sum = into;
    this.#missing = shards * into.length;
  }

  /** Whether every part of every shard is in the sum. */
  get complete(): boolean {
    return this.#missing === 0;
  }

  /** Adds a part of a shard's vector. All shards must be cut into the same parts. `part` is copied if it is kept. */
  add(shard: number, offset: number, part: Float32Array): void {
    const state = this.#parts.get(offset) ?? { next: 0, early: new Map<number, Float32Array>() };
    this.#parts.set(offset, state);
    if (shard !== state.next) {
      state.early.set(shard, part.slice());
      return;
    }
    for (let values: Float32Array | undefined = part; values; values = state.early.get(state.next)) {
      this.#accumulate(state.next, offset, values);
      state.early.delete(state.next);
      state.next++;
    }
  }

  /** The mean over the shards, in the array given to the constructor. */
  mean(): Float32Array {
    if (!this.complete) throw new Error('a mean needs every part of every shard');
    const sum = this.#sum;
    for (let i = 0; i < sum.length; i++) sum[i] = sum[i] / this.shards;
    return sum;
  }

  #accumulate(shard: number, offset: number, values: Float32Array): void {
    const sum = this.#sum.subarray(offset, offset + values.length);
    if (shard === 0) sum.set(values);
    else for (let i = 0; i < sum.length; i++) sum[i] = sum[i] + values[i];
    this.#missing -= values.length;
  }
}
