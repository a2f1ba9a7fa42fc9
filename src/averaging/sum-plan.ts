import type { Operand, Sum } from './order-of-sums.js';

/** A sum that is made here. */
export interface LocalSum {
  readonly operand: Operand;
  readonly left: Operand;
  readonly right: Operand;
}

/** What one place does for every part of the vectors. */
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
 * Places are numbers of workers. A sum is made where the last of its shards is, so that partial sums travel and shards
 * of one place are added there. The mean travels the same ways back: each place has it from where its last partial sum
 * went. Those ways are a tree, whoever hosts which shard: what a place sends last is added after everything that was
 * sent to it.
 */
export function planSums(sums: readonly Sum[], placeOfShard: readonly number[], here: number): SumPlan {
  const shards = placeOfShard.length;
  const placeOf = (operand: Operand): number =>
    placeOfShard[operand < shards ? operand : sums[operand - shards].lastShard];
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

/** Everything at one place, to which all vectors come. */
export function planAllHere(sums: readonly Sum[], shards: number): SumPlan {
  return planSums(sums, new Array<number>(shards).fill(0), 0);
}

/** The places that this one exchanges messages with. */
export function neighboursIn({ sendTo, receiveFrom, meanFrom, meanTo }: SumPlan): number[] {
  const all = [...sendTo.values(), ...receiveFrom.values(), ...meanTo];
  return [...new Set(meanFrom === undefined ? all : [...all, meanFrom])].sort((one, other) => one - other);
}
