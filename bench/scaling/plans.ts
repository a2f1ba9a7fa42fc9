import { sumsOf } from '../../src/averaging/order-of-sums.js';
import { planAllHere, planSums, type SumPlan } from '../../src/averaging/sum-plan.js';
import type { Way } from '../averaging/rows.js';

/** What each place does, workers first; a star has its coordinator besides. One shard a worker. */
export function plansOf(way: Way, workers: number): SumPlan[] {
  const sums = sumsOf(way === 'tree' ? 'pairwise' : 'sequential', workers);
  const numbers = Array.from({ length: workers }, (_, number) => number);
  if (way !== 'star') return numbers.map((number) => planSums(sums, numbers, number));
  const coordinator = { ...planAllHere(sums, workers), meanTo: numbers };
  const nothing = new Map<never, never>();
  return [
    ...numbers.map((number) => ({
      ...{ shards: workers, sumOf: nothing, receiveFrom: nothing, total: undefined },
      ...{ sendTo: new Map([[number, workers]]), meanFrom: workers, meanTo: [] },
    })),
    coordinator,
  ];
}
