import type { MeanArray } from '../../averaging/mean-array.js';
import type { PartPool } from '../../averaging/part-pool.js';
import type { PlacePlans } from '../../averaging/sum-plan.js';
import { writeShard } from '../../averaging/shard-writer.js';
import type { Cut } from '../../averaging/vector-cuts.js';
import { VectorSums } from '../../averaging/vector-sums.js';
import { Content, type Bodies } from '../../wire/message.js';
import { Rejection } from '../../wire/rejection.js';
import { requirePart, vectorChunk } from '../../wire/vector-chunks.js';

const FLOAT = Float32Array.BYTES_PER_ELEMENT;

export interface PeerRoundMemberOptions {
  readonly plans: PlacePlans;
  readonly mean: MeanArray;
  readonly pool: PartPool;
  readonly gradientEnd: number;
  /** Cuts of the vector. */
  readonly cuts: readonly Cut[];
  readonly send: (worker: number, chunk: Bodies['chunk']) => void;
}

/** One phase of one step, averaged among workers: what comes from others, and what this one makes of it. */
export class PeerRoundMember {
  readonly #sums: VectorSums;
  /** The parts of operands, and of the mean, that came from elsewhere. */
  readonly #received = new Set<string>();

  constructor(private readonly options: PeerRoundMemberOptions) {
    const { plans, mean, pool, gradientEnd, send } = options;
    const { length } = mean.floats;
    this.#sums = new VectorSums({
      planOf: (part) => plans.of(part),
      ...{ mean, pool, gradientEnd },
      onOperand: (worker, shard, { offset, format }, payload) => {
        send(worker, vectorChunk({ content: Content.OPERAND, shard, length }, { offset, format }, payload));
      },
      onMean: ({ part, offset, format }, payload) => {
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

  /** Squares of the parts of the mean that this worker computes, see `normOf`. */
  get squares(): ReadonlyMap<number, number> {
    return this.#sums.squares;
  }

  /** True if this worker computes the part of the mean with the measures. */
  get makesMeasures(): boolean {
    return this.#sums.squares.has(this.options.cuts.length - 1);
  }

  get mean(): Float32Array {
    return this.options.mean.floats;
  }

  /** Adds the vector of a local shard. It must not change until the round is over. */
  addVector(shard: number, vector: Float32Array): void {
    const { cuts, pool } = this.options;
    for (const { cut, payload } of writeShard(vector, cuts, pool)) this.#sums.add(shard, cut, payload);
  }

  /** Throws a Rejection for what this worker cannot have sent now. */
  receive(worker: number, body: Bodies['chunk']): void {
    const isMean = body.content === Content.AVERAGE;
    const { cuts, plans } = this.options;
    const cut = cuts.find(({ offset }) => offset === body.offset / FLOAT);
    if (!cut) throw new Rejection('unexpected', `a chunk at ${body.offset}, where no part begins`);
    requirePart(this.mean.length, cut, body);
    const { meanFrom, receiveFrom } = plans.of(cut.part);
    if (worker !== (isMean ? meanFrom : receiveFrom.get(body.shard)))
      throw new Rejection('unexpected', `a part of a sum that worker ${worker} does not make`);
    // Parts that are made of what several send are done in any order.
    const key = `${isMean ? 'mean' : body.shard}/${cut.part}`;
    if (this.#received.has(key)) throw new Rejection('unexpected', `part ${key} of a sum, once more`);
    this.#received.add(key);
    if (isMean) this.#sums.addMean(cut, body.payload);
    else this.#sums.add(body.shard, cut, body.payload);
  }
}
