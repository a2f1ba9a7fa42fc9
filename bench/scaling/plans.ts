import { planAllHere, SumPlans, type SumPlan } from '../../src/averaging/sum-plan.js';
import type { Way } from '../averaging/rows.js';

/** What a place does, by the number of the part. */
export interface Plans {
  of(part: number): SumPlan;
}

/** What each place does, workers first; a star has its coordinator besides. One shard a worker. */
export function plansOf(way: Way, workers: number): Plans[] {
  const summation = way === 'tree' ? 'pairwise' : 'sequential';
  const numbers = Array.from({ length: workers }, (_, number) => number);
  if (way !== 'star') return numbers.map((number) => new SumPlans(summation, numbers, number));
  const coordinator = { ...planAllHere(summation, workers), meanTo: numbers };
  const nothing = new Map<never, never>();
  return [
    ...numbers.map((number) => ({
      ...{ shards: workers, sumOf: nothing, receiveFrom: nothing, total: undefined },
      ...{ sendTo: new Map([[number, workers]]), meanFrom: workers, meanTo: [] },
    })),
    coordinator,
  ].map((plan) => ({ of: () => plan }));
}
