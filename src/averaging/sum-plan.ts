import type { Operand, Sum, Summation } from './order-of-sums.js';
import { sumsOf } from './order-of-sums.js';

/** A sum that is made here. */
export interface LocalSum {
  readonly operand: Operand;
  readonly left: Operand;
  readonly right: Operand;
}

/** What one place does for one part of the vectors. */
export interface SumPlan {
  readonly shards: number;
  /** The sums made here, by each of their two operands. */
  readonly sumOf: ReadonlyMap<Operand, LocalSum>;
  /** What is here, or made here, and added elsewhere: where. */
  readonly sendTo: ReadonlyMap<Operand, number>;
  /** What comes from elsewhere to be added here: from where. */
  readonly receiveFrom: ReadonlyMap<Operand, number>;
  /** The operand that is the sum of all, where it is here: it becomes the mean. */
  readonly total: Operand | undefined;
  /** Where the mean comes from; undefined where it is made here. */
  readonly meanFrom: number | undefined;
  /** Where it is sent on to, in that order. */
  readonly meanTo: readonly number[];
}

/**
 * The plans of one place, by the number of the part. Places are numbers of workers. The mean travels the ways of the
 * partial sums back: each place has it from where its last one went. Those ways are a tree, wherever sums are made: what
 * a place sends last is added after everything that was sent to it.
 */
export class SumPlans {
  readonly #sums: readonly Sum[];
  readonly #places: Placement;
  readonly #plans = new Map<number, SumPlan>();

  constructor(
    summation: Summation | undefined,
    private readonly placeOfShard: readonly number[],
    private readonly here: number,
  ) {
    this.#sums = sumsOf(summation, placeOfShard.length);
    this.#places =
      summation === 'pairwise'
        ? inPairs(this.#sums, placeOfShard)
        : oneAfterTheOther(this.#sums, placeOfShard);
  }

  of(part: number): SumPlan {
    const known = this.#plans.get(part);
    if (known) return known;
    const plan = planSums(this.#sums, this.placeOfShard.length, this.#places(part), this.here);
    this.#plans.set(part, plan);
    return plan;
  }

  /** The places that this one exchanges so many parts with. */
  neighbours(parts: number): number[] {
    const all = Array.from({ length: parts }, (_, part) => neighboursIn(this.of(part))).flat();
    return [...new Set(all)].sort((one, other) => one - other);
  }
}

/** Everything at one place, to which all vectors come. */
export function planAllHere(summation: Summation | undefined, shards: number): SumPlan {
  return new SumPlans(summation, new Array<number>(shards).fill(0), 0).of(0);
}

/** Where each operand of a part is, or is made. */
type Placement = (part: number) => (operand: Operand) => number;

/**
 * Where most places have one shard, each part has an owner, to which all send theirs: every place adds as many parts as
 * the others, and none waits for more than one message (reduce-scatter, and then all-gather, as in a ring all-reduce; but
 * a ring that begins at each part's owner would add in another order). With several shards a place, that would be several
 * vectors of each: there the sum passes the places in the order of the shards, which adds a place's own in between.
 */
function oneAfterTheOther(sums: readonly Sum[], placeOfShard: readonly number[]): Placement {
  const shards = placeOfShard.length;
  // The first part's is where the last shard is.
  const places = [...new Set(placeOfShard)].reverse();
  const hasOwners = shards < 2 * places.length;
  return (part) => (operand) => {
    if (operand < shards) return placeOfShard[operand];
    return hasOwners ? places[part % places.length] : placeOfShard[sums[operand - shards].lastShard];
  };
}

/**
 * Of two places that have the operands of a sum, one makes it, and the other one that of the next part: each exchanges
 * half of a vector with its first partner, a quarter with the next (recursive halving and doubling; Thakur et al. 2005,
 * Optimization of collective communication operations in MPICH).
 */
function inPairs(sums: readonly Sum[], placeOfShard: readonly number[]): Placement {
  const shards = placeOfShard.length;
  const depths = new Map<Operand, number>();
  for (const [index, { left, right }] of [...sums.entries()].reverse()) {
    const depth = depths.get(shards + index) ?? 0;
    depths.set(left, depth + 1).set(right, depth + 1);
  }
  return (part) => {
    const places = [...placeOfShard];
    for (const [index, { left, right }] of sums.entries()) {
      const depth = depths.get(shards + index) ?? 0;
      const isRight = Math.floor(part / 2 ** depth) % 2 === 0;
      places.push(places[isRight ? right : left]);
    }
    return (operand) => places[operand];
  };
}

function planSums(
  sums: readonly Sum[],
  shards: number,
  placeOf: (operand: Operand) => number,
  here: number,
): SumPlan {
  const sumOf = new Map<Operand, LocalSum>();
  const sendTo = new Map<Operand, number>();
  const receiveFrom = new Map<Operand, number>();
  /** Where each place's mean comes from. */
  const meanFrom = new Map<number, number>();
  for (const [index, { left, right }] of sums.entries()) {
    const operand = shards + index;
    const place = placeOf(operand);
    for (const part of [left, right]) {
      const from = placeOf(part);
      if (from === place) continue;
      // The last one counts, and is the last key too.
      meanFrom.delete(from);
      meanFrom.set(from, place);
      if (from === here) sendTo.set(part, place);
      if (place === here) receiveFrom.set(part, from);
    }
    if (place === here) for (const part of [left, right]) sumOf.set(part, { operand, left, right });
  }
  const total = shards + sums.length - 1;
  const root = placeOf(total);
  // It may have sent something before, and have made the last sum of what came back.
  meanFrom.delete(root);
  return {
    ...{ shards, sumOf, sendTo, receiveFrom },
    ...{ total: root === here ? total : undefined, meanFrom: meanFrom.get(here) },
    // Those whose partial sums came last have the most places behind them: the mean goes to them first.
    meanTo: [...meanFrom]
      .filter(([, from]) => from === here)
      .map(([place]) => place)
      .reverse(),
  };
}

/** The places that this one exchanges messages with. */
function neighboursIn({ sendTo, receiveFrom, meanFrom, meanTo }: SumPlan): number[] {
  const all = [...sendTo.values(), ...receiveFrom.values(), ...meanTo];
  return meanFrom === undefined ? all : [...all, meanFrom];
}
