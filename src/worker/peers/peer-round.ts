import type { Operand } from '../../averaging/order-of-sums.js';
import type { MeanArray } from '../../averaging/mean-array.js';
import type { PartPool } from '../../averaging/part-pool.js';
import type { SumPlans } from '../../averaging/sum-plan.js';
import { writeShard } from '../../averaging/shard-writer.js';
import { writtenParts, type Cut } from '../../averaging/vector-cuts.js';
import { VectorSums } from '../../averaging/vector-sums.js';
import { Content, type Bodies } from '../../wire/message.js';
import { Rejection } from '../../wire/rejection.js';
import { ExpectedChunks, vectorChunk } from '../../wire/vector-chunks.js';

export interface PeerRoundOptions {
  readonly plans: SumPlans;
  readonly mean: MeanArray;
  readonly pool: PartPool;
  readonly gradientEnd: number;
  /** How the vector is cut and written. */
  readonly cuts: readonly Cut[];
  readonly send: (worker: number, chunk: Bodies['chunk']) => void;
}

interface Expected {
  readonly cuts: readonly Cut[];
  readonly chunks: ExpectedChunks;
}

/** One phase of one step, averaged among workers: what comes from others, and what this one makes of it. */
export class PeerRound {
  readonly #sums: VectorSums;
  /** By sender, of each operand, and of the mean, that comes from there. */
  readonly #expected = new Map<string, Expected>();

  constructor(private readonly options: PeerRoundOptions) {
    const { plans, mean, pool, gradientEnd, send } = options;
    const { length } = mean.floats;
    this.#sums = new VectorSums({
      planOf: (part) => plans.of(part),
      ...{ mean, pool, gradientEnd },
      onOperand: (worker, shard, { offset, operand: { format } }, payload) => {
        send(worker, vectorChunk({ content: Content.OPERAND, shard, length }, { offset, format }, payload));
      },
      onMean: ({ part, offset, mean: { format } }, payload) => {
        const chunk = vectorChunk(
          { content: Content.AVERAGE, shard: 0, length },
          { offset, format },
          payload,
        );
        for (const worker of plans.of(part).meanTo) send(worker, chunk);
      },
    });
  }

  get complete(): boolean {
    return this.#sums.complete;
  }

  /** Of the parts of the mean that are made here, see `normOf`. */
  get squares(): ReadonlyMap<number, number> {
    return this.#sums.squares;
  }

  /** Whether the measures at the vector's end are in a part of the mean that is made here. */
  get makesMeasures(): boolean {
    return this.#sums.squares.has(this.options.cuts.length - 1);
  }

  get mean(): Float32Array {
    return this.options.mean.floats;
  }

  /** Of a shard of this worker; it must stay as it is until the round is over. */
  addVector(shard: number, vector: Float32Array): void {
    const { cuts, pool } = this.options;
    for (const { cut, payload } of writeShard(vector, cuts, pool)) this.#sums.add(shard, cut, payload);
  }

  /** Throws a Rejection for what this worker cannot have sent now. */
  receive(worker: number, body: Bodies['chunk']): void {
    const isMean = body.content === Content.AVERAGE;
    const { chunks, cuts } = this.#expectedOf(worker, isMean ? 'mean' : body.shard);
    if (cuts.length === 0)
      throw new Rejection('unexpected', `a part of a sum that worker ${worker} does not make`);
    const cut = cuts[chunks.take(body)];
    if (isMean) this.#sums.addMean(cut, body.payload);
    else this.#sums.add(body.shard, cut, body.payload);
  }

  /** One connection brings them in order, those of the parts that this worker has of that one. */
  #expectedOf(worker: number, of: Operand | 'mean'): Expected {
    const key = `${worker} ${of}`;
    const known = this.#expected.get(key);
    if (known) return known;
    const { plans } = this.options;
    const cuts = this.options.cuts.filter(({ part }) => {
      const { meanFrom, receiveFrom } = plans.of(part);
      return worker === (of === 'mean' ? meanFrom : receiveFrom.get(of));
    });
    const parts = writtenParts(cuts, of === 'mean' ? 'mean' : 'operand');
    const expected = { cuts, chunks: new ExpectedChunks(this.mean.length, parts) };
    // What nobody sends is not kept: a stranger could make up as much of it as he likes.
    if (cuts.length > 0) this.#expected.set(key, expected);
    return expected;
  }
}
