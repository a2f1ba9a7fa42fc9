import type { Operand } from '../../averaging/order-of-sums.js';
import type { MeanArray } from '../../averaging/mean-array.js';
import type { PartPool } from '../../averaging/part-pool.js';
import type { SumPlan } from '../../averaging/sum-plan.js';
import { writeShard } from '../../averaging/shard-writer.js';
import { writtenParts, type Cut } from '../../averaging/vector-cuts.js';
import { VectorSums } from '../../averaging/vector-sums.js';
import { Content, type Bodies } from '../../wire/message.js';
import { Rejection } from '../../wire/rejection.js';
import { ExpectedChunks, vectorChunk } from '../../wire/vector-chunks.js';

export interface PeerRoundOptions {
  readonly plan: SumPlan;
  readonly mean: MeanArray;
  readonly pool: PartPool;
  readonly gradientEnd: number;
  /** How the vector is cut and written. */
  readonly cuts: readonly Cut[];
  readonly send: (worker: number, chunk: Bodies['chunk']) => void;
}

/** One phase of one step, averaged among workers: what comes from others, and what this one makes of it. */
export class PeerRound {
  readonly #sums: VectorSums;
  /** Of each operand, and of the mean, that comes from elsewhere. */
  readonly #expected = new Map<Operand | 'mean', ExpectedChunks>();

  constructor(private readonly options: PeerRoundOptions) {
    const { plan, mean, pool, gradientEnd, send } = options;
    const { length } = mean.floats;
    this.#sums = new VectorSums({
      ...{ plan, mean, pool, gradientEnd },
      onOperand: (worker, shard, { offset, operand: { format } }, payload) => {
        send(worker, vectorChunk({ content: Content.OPERAND, shard, length }, { offset, format }, payload));
      },
      onMean: ({ offset, mean: { format } }, payload) => {
        const chunk = vectorChunk(
          { content: Content.AVERAGE, shard: 0, length },
          { offset, format },
          payload,
        );
        for (const worker of plan.meanTo) send(worker, chunk);
      },
    });
  }

  get complete(): boolean {
    return this.#sums.complete;
  }

  /** Undefined where another worker makes the mean. */
  get gradientNorm(): number | undefined {
    return this.#sums.gradientNorm;
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
    const { plan, cuts } = this.options;
    const isMean = body.content === Content.AVERAGE;
    const from = isMean ? plan.meanFrom : plan.receiveFrom.get(body.shard);
    if (from !== worker)
      throw new Rejection('unexpected', `a part of a sum that worker ${worker} does not make`);
    const cut = cuts[this.#expectedOf(isMean ? 'mean' : body.shard).take(body)];
    if (isMean) this.#sums.addMean(cut, body.payload);
    else this.#sums.add(body.shard, cut, body.payload);
  }

  /** One connection brings them in order and without gaps, all cut alike. */
  #expectedOf(of: Operand | 'mean'): ExpectedChunks {
    const known = this.#expected.get(of);
    if (known) return known;
    const parts = writtenParts(this.options.cuts, of === 'mean' ? 'mean' : 'operand');
    const expected = new ExpectedChunks(this.mean.length, parts);
    this.#expected.set(of, expected);
    return expected;
  }
}
