import { planAllHere, SumPlans, type SumPlan } from '../../src/averaging/sum-plan.js';
import type { Way } from '../averaging/rows.js';

/** What a place does for a part. */
export type Plans = (place: number, part: number) => SumPlan;

/** Workers come first; a star has its coordinator besides. One shard a worker. */
export function plansOf(way: Way, workers: number): Plans {
  const summation = way === 'tree' ? 'pairwise' : 'sequential';
  const numbers = Array.from({ length: workers }, (_, number) => number);
  if (way === 'star') return starOf(workers, numbers);
  const plans = new SumPlans(summation, numbers);
  const parts: ReadonlyMap<number, SumPlan>[] = [];
  return (place, part) => {
    const plan = (parts[part] ??= plans.ofPart(part)).get(place);
    if (!plan) throw new Error(`no place ${place}`);
    return plan;
  };
}

function starOf(workers: number, numbers: readonly number[]): Plans {
  const coordinator = { ...planAllHere('sequential', workers), meanTo: numbers };
  const nothing = new Map<never, never>();
  const all = numbers.map((number): SumPlan => ({
    ...{ shards: workers, sumOf: nothing, receiveFrom: nothing, total: undefined },
    ...{ sendTo: new Map([[number, workers]]), meanFrom: workers, meanTo: [] },
  }));
  return (place) => all.at(place) ?? coordinator;
}
