import type { Operand, Sum, Summation } from './order-of-sums.js';
import { sumsOf } from './order-of-sums.js';

/** A sum that is made here. */
export interface LocalSum {
  readonly operand: Operand;
  readonly left: Operand;
  readonly right: Operand;
}

/** Work of one place for one part of the vectors. */
export interface SumPlan {
  readonly shards: number;
  /** The sums made here, by each of their two operands. */
  readonly sumOf: ReadonlyMap<Operand, LocalSum>;
  /** Places that add the operands which are available here. */
  readonly sendTo: ReadonlyMap<Operand, number>;
  /** Places from which operands arrive to be added here. */
  readonly receiveFrom: ReadonlyMap<Operand, number>;
  /** The operand that is the sum of all, where it is here: it becomes the mean. */
  readonly total: Operand | undefined;
  /** Place that sends the mean; undefined if it is computed here. */
  readonly meanFrom: number | undefined;
  /** Places to which the mean is forwarded, in order. */
  readonly meanTo: readonly number[];
}

/**
 * Plans of all places, which are numbers of workers. The mean travels the routes of the partial sums in reverse: each
 * place receives it from the place to which it sent its last sum. These routes are a tree, since a place sends its
 * last sum after it has received all others.
 */
export class SumPlans {
  readonly #sums: readonly Sum[];
  readonly #places: Placement;

  constructor(
    summation: Summation | undefined,
    private readonly placeOfShard: readonly number[],
  ) {
    this.#sums = sumsOf(summation, placeOfShard.length);
    this.#places =
      summation === 'pairwise'
        ? inPairs(this.#sums, placeOfShard)
        : oneAfterTheOther(this.#sums, placeOfShard);
  }

  /** Plans by place. */
  ofPart(part: number): ReadonlyMap<number, SumPlan> {
    return planPart(this.#sums, this.placeOfShard, this.#places(part));
  }

  /** Plans of one place, by part. */
  at(place: number): PlacePlans {
    return new PlacePlans(this, place);
  }
}

/** Returns the plans of one place for each part. */
export class PlacePlans {
  readonly #plans = new Map<number, SumPlan>();

  constructor(
    private readonly all: SumPlans,
    private readonly place: number,
  ) {}

  of(part: number): SumPlan {
    const known = this.#plans.get(part);
    if (known) return known;
    const plan = this.all.ofPart(part).get(this.place);
    if (!plan) throw new Error(`place ${this.place} has no shard`);
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
  return new SumPlans(summation, new Array<number>(shards).fill(0)).at(0).of(0);
}

/** Place of each operand of a part. */
type Placement = (part: number) => (operand: Operand) => number;

/**
 * Chooses the places of sequential sums. If most places have one shard, each part has an owner, to which all others
 * send: every place adds as many parts, and none waits for more than one message (reduce-scatter and then all-gather,
 * as in a ring all-reduce; a ring that starts at each part's owner would add in another order). With several shards
 * per place, this would send several vectors of each: there the sum passes the places in the order of the shards.
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
 * Chooses the places of pairwise sums. Of two places that have the operands, one adds this part and the other the
 * next one: each exchanges half of a vector with its first partner, a quarter with the next (recursive halving and
 * doubling; Thakur et al. 2005, Optimization of collective communication operations in MPICH).
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

/** Returns the plan of each place for a part. */
function planPart(
  sums: readonly Sum[],
  placeOfShard: readonly number[],
  placeOf: (operand: Operand) => number,
): ReadonlyMap<number, SumPlan> {
  const shards = placeOfShard.length;
  const plans = new Map([...new Set(placeOfShard)].map((place) => [place, draftPlan(shards)]));
  const at = (place: number): Draft => {
    const known = plans.get(place);
    if (!known) throw new Error(`place ${place} has no shard`);
    return known;
  };
  /** Those that send partial sums, in the order in which they send their last ones. */
  const senders = new Set<number>();
  for (const [index, { left, right }] of sums.entries()) {
    const operand = shards + index;
    const place = placeOf(operand);
    for (const part of [left, right]) {
      at(place).sumOf.set(part, { operand, left, right });
      const from = placeOf(part);
      if (from === place) continue;
      at(from).sendTo.set(part, place);
      at(place).receiveFrom.set(part, from);
      at(from).meanFrom = place;
      senders.delete(from);
      senders.add(from);
    }
  }
  const total = shards + sums.length - 1;
  const root = at(placeOf(total));
  root.total = total;
  // It may have sent something before, and have made the last sum of what came back.
  root.meanFrom = undefined;
  // Those whose partial sums came last have the most places behind them: the mean goes to them first.
  for (const place of [...senders].reverse()) {
    const { meanFrom } = at(place);
    if (meanFrom !== undefined) at(meanFrom).meanTo.push(place);
  }
  return plans;
}

/** A plan that is being made. */
interface Draft {
  readonly shards: number;
  readonly sumOf: Map<Operand, LocalSum>;
  readonly sendTo: Map<Operand, number>;
  readonly receiveFrom: Map<Operand, number>;
  total: Operand | undefined;
  meanFrom: number | undefined;
  readonly meanTo: number[];
}

function draftPlan(shards: number): Draft {
  return {
    ...{ shards, sumOf: new Map(), sendTo: new Map(), receiveFrom: new Map() },
    ...{ total: undefined, meanFrom: undefined, meanTo: [] },
  };
}

/** The places that this one exchanges messages with. */
function neighboursIn({ sendTo, receiveFrom, meanFrom, meanTo }: SumPlan): number[] {
  const all = [...sendTo.values(), ...receiveFrom.values(), ...meanTo];
  return meanFrom === undefined ? all : [...all, meanFrom];
}
