import type { Operand } from '../../src/averaging/order-of-sums.js';
import { sumsOf, type Summation } from '../../src/averaging/order-of-sums.js';
import { PartPool } from '../../src/averaging/part-pool.js';
import { planSums, type SumPlan } from '../../src/averaging/sum-plan.js';
import { SummingMemory } from '../../src/averaging/summing-memory.js';
import { VectorSums } from '../../src/averaging/vector-sums.js';

export interface NetworkOptions {
  readonly summation: Summation;
  readonly placeOfShard: readonly number[];
  readonly vectors: readonly Float32Array[];
  readonly partFloats: number;
  readonly gradientEnd: number;
  /** Which of so many messages is delivered next. */
  readonly choose: (count: number) => number;
}

export interface PlaceResult {
  readonly plan: SumPlan;
  readonly mean: Float32Array;
  readonly complete: boolean;
  readonly gradientNorm: number | undefined;
  /** Floats that it sent. */
  sent: number;
}

/**
 * A round among places in one process: messages of each pair of places in the order in which they were sent, all others
 * in any order. A shard's parts come in order, at any time.
 */
export function averageAmongPlaces(options: NetworkOptions): Map<number, PlaceResult> {
  const { summation, placeOfShard, vectors, partFloats, gradientEnd, choose } = options;
  const sums = sumsOf(summation, vectors.length);
  const { length } = vectors[0];
  const queues = new Map<string, (() => void)[]>();
  const push = (queue: string, deliver: () => void): void => {
    queues.set(queue, [...(queues.get(queue) ?? []), deliver]);
  };
  const places = new Map(
    [...new Set(placeOfShard)].map((here) => {
      const plan = planSums(sums, placeOfShard, here);
      const memory = new SummingMemory(length);
      const mean = memory.allocate(length).fill(NaN);
      const result = { plan, mean, sent: 0 };
      const vectorSums: VectorSums = new VectorSums({
        ...{ plan, mean: { memory, floats: mean }, pool: new PartPool(), gradientEnd },
        onOperand: (place, operand: Operand, offset, part) => {
          result.sent += part.length;
          push(`${here}>${place}`, () => {
            places.get(place)?.vectorSums.add(operand, offset, part.slice());
          });
        },
        onMean: (offset, part) => {
          for (const place of plan.meanTo) {
            result.sent += part.length;
            push(`${here}>${place}`, () => {
              places.get(place)?.vectorSums.addMean(offset, part.slice());
            });
          }
        },
      });
      return [here, { result, vectorSums }] as const;
    }),
  );
  for (const [shard, vector] of vectors.entries())
    for (let offset = 0; offset < length; offset += partFloats)
      push(`shard ${shard}`, () => {
        const part = vector.subarray(offset, offset + partFloats);
        places.get(placeOfShard[shard])?.vectorSums.add(shard, offset, part);
      });
  for (let names = open(queues); names.length > 0; names = open(queues))
    queues.get(names[choose(names.length)])?.shift()?.();
  return new Map(
    [...places].map(([place, { result, vectorSums }]) => [
      place,
      { ...result, complete: vectorSums.complete, gradientNorm: vectorSums.gradientNorm },
    ]),
  );
}

function open(queues: ReadonlyMap<string, readonly unknown[]>): string[] {
  return [...queues].filter(([, queue]) => queue.length > 0).map(([name]) => name);
}
