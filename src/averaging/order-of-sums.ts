/**
 * Operand of a sum: a shard's vector (0 to shards - 1), or an earlier sum (from the number of shards on, in the order
 * of `sumsOf`).
 */
export type Operand = number;

/** The sum of two operands; together they are the shards up to `lastShard`, without a gap. */
export interface Sum {
  readonly left: Operand;
  readonly right: Operand;
  readonly lastShard: number;
}

/**
 * Order of the sum over all shards. Floating-point sums depend on their order, so it is an option of the run, and the
 * result is the same bit for bit for every placement. sequential: ((0 + 1) + 2) + 3 ..., in one process, or along a
 * line of workers. pairwise: (0 + 1) + (2 + 3) ..., the largest power of two on the left, in a tree of workers whose
 * depth is the logarithm of their number; its rounding error grows with that logarithm too (Higham 1993, The accuracy
 * of floating point summation).
 */
export const SUMMATIONS = ['sequential', 'pairwise'] as const;
export type Summation = (typeof SUMMATIONS)[number];

/**
 * All sums of a run with so many shards, each after those that it adds; the last one is of all shards. Sequential where
 * nothing is said.
 */
export function sumsOf(summation: Summation | undefined, shards: number): Sum[] {
  return summation === 'pairwise' ? pairwiseSums(shards) : sequentialSums(shards);
}

function sequentialSums(shards: number): Sum[] {
  return Array.from({ length: shards - 1 }, (_, index) => ({
    left: index === 0 ? 0 : shards + index - 1,
    right: index + 1,
    lastShard: index + 1,
  }));
}

function pairwiseSums(shards: number): Sum[] {
  const sums: Sum[] = [];
  /** The operand that is the sum of the shards [from, to). */
  const sum = (from: number, to: number): Operand => {
    if (to - from === 1) return from;
    const middle = from + 2 ** Math.ceil(Math.log2(to - from) - 1);
    const left = sum(from, middle);
    const right = sum(middle, to);
    return shards + sums.push({ left, right, lastShard: to - 1 }) - 1;
  };
  sum(0, shards);
  return sums;
}
