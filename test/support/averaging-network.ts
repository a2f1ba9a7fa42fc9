import type { Operand } from '../../src/averaging/order-of-sums.js';
import type { Summation } from '../../src/averaging/order-of-sums.js';
import { PartPool } from '../../src/averaging/part-pool.js';
import { SumPlans, type PlacePlans } from '../../src/averaging/sum-plan.js';
import { meanArray } from '../../src/averaging/mean-array.js';
import { writeShard } from '../../src/averaging/shard-writer.js';
import { cutVector } from '../../src/averaging/vector-cuts.js';
import type { WireFormat } from '../../src/averaging/wire-format.js';
import { normOf, VectorSums } from '../../src/averaging/vector-sums.js';

export interface NetworkOptions {
  readonly summation: Summation;
  readonly placeOfShard: readonly number[];
  readonly vectors: readonly Float32Array[];
  readonly partFloats: number;
  readonly gradientEnd: number;
  readonly wire?: WireFormat;
  /** Which of so many messages is delivered next. */
  readonly choose: (count: number) => number;
}

export interface PlaceResult {
  readonly plans: PlacePlans;
  readonly mean: Float32Array;
  readonly complete: boolean;
  /** By part, of those of the mean that it made. */
  readonly squares: ReadonlyMap<number, number>;
  /** Bytes that it sent. */
  sent: number;
}

/**
 * A round among places in one process: messages of each pair of places in the order in which they were sent, all others
 * in any order. A shard's parts come in order, at any time.
 */
export function averageAmongPlaces(options: NetworkOptions): Map<number, PlaceResult> {
  const { summation, placeOfShard, vectors, partFloats, gradientEnd, wire, choose } = options;
  const { length } = vectors[0];
  const cuts = cutVector({ length, gradientEnd, wire }, { fp32: partFloats, bf16: partFloats });
  const queues = new Map<string, (() => void)[]>();
  const push = (queue: string, deliver: () => void): void => {
    queues.set(queue, [...(queues.get(queue) ?? []), deliver]);
  };
  const places = new Map(
    [...new Set(placeOfShard)].map((here) => {
      const plans = new SumPlans(summation, placeOfShard).at(here);
      const mean = meanArray(length, wire);
      mean.floats.fill(NaN);
      const pool = new PartPool();
      const result = { plans, mean: mean.floats, sent: 0 };
      const vectorSums: VectorSums = new VectorSums({
        ...{ planOf: (part: number) => plans.of(part), mean, pool, gradientEnd },
        onOperand: (place, operand: Operand, cut, payload) => {
          result.sent += payload.length;
          push(`${here}>${place}`, () => {
            places.get(place)?.vectorSums.add(operand, cut, payload.slice());
          });
        },
        onMean: (cut, payload) => {
          for (const place of plans.of(cut.part).meanTo) {
            result.sent += payload.length;
            push(`${here}>${place}`, () => {
              places.get(place)?.vectorSums.addMean(cut, payload.slice());
            });
          }
        },
      });
      return [here, { result, vectorSums, pool }] as const;
    }),
  );
  for (const [shard, vector] of vectors.entries())
    for (const each of cuts)
      push(`shard ${shard}`, () => {
        const host = places.get(placeOfShard[shard]);
        if (!host) throw new Error(`nobody has shard ${shard}`);
        for (const { cut, payload } of writeShard(vector, [each], host.pool))
          host.vectorSums.add(shard, cut, payload);
      });
  for (let names = open(queues); names.length > 0; names = open(queues))
    queues.get(names[choose(names.length)])?.shift()?.();
  return new Map(
    [...places].map(([place, { result, vectorSums }]) => [
      place,
      { ...result, complete: vectorSums.complete, squares: vectorSums.squares },
    ]),
  );
}

/** The norm of the mean gradient, of which each part is made at one place. */
export function normAmong(places: ReadonlyMap<number, PlaceResult>): number {
  const squares = [...places.values()].flatMap((place) => [...place.squares]);
  if (new Set(squares.map(([part]) => part)).size !== squares.length)
    throw new Error('a part of the mean is made twice');
  return normOf(new Map(squares));
}

function open(queues: ReadonlyMap<string, readonly unknown[]>): string[] {
  return [...queues].filter(([, queue]) => queue.length > 0).map(([name]) => name);
}
