import type { Operand } from '../../averaging/order-of-sums.js';
import type { MeanArray } from '../../averaging/mean-array.js';
import type { PartPool } from '../../averaging/part-pool.js';
import type { SumPlan } from '../../averaging/sum-plan.js';
import { VectorSums } from '../../averaging/vector-sums.js';
import { bytesOf, floatsOf } from '../../common/bytes.js';
import { CHUNK_BYTES } from '../../wire/codec.js';
import { Content, type Bodies } from '../../wire/message.js';
import { Rejection } from '../../wire/rejection.js';

const FLOAT = Float32Array.BYTES_PER_ELEMENT;

export interface PeerRoundOptions {
  readonly plan: SumPlan;
  readonly mean: MeanArray;
  readonly pool: PartPool;
  readonly gradientEnd: number;
  readonly send: (worker: number, chunk: Bodies['chunk']) => void;
}

/** One phase of one step, averaged among workers: what comes from others, and what this one makes of it. */
export class PeerRound {
  readonly #sums: VectorSums;
  /** Bytes of each operand, and of the mean, that came from elsewhere. */
  readonly #received = new Map<Operand | 'mean', number>();

  constructor(private readonly options: PeerRoundOptions) {
    const { plan, mean, pool, gradientEnd, send } = options;
    const total = mean.floats.byteLength;
    this.#sums = new VectorSums({
      ...{ plan, mean, pool, gradientEnd },
      onOperand: (worker, shard, offset, part) => {
        send(worker, chunk(Content.OPERAND, shard, offset, total, part));
      },
      onMean: (offset, part) => {
        for (const worker of plan.meanTo) send(worker, chunk(Content.AVERAGE, 0, offset, total, part));
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
    this.#sums.add(shard, 0, vector);
  }

  /** Throws a Rejection for what this worker cannot have sent now. */
  receive(worker: number, body: Bodies['chunk']): void {
    const { plan } = this.options;
    const isMean = body.content === Content.AVERAGE;
    const from = isMean ? plan.meanFrom : plan.receiveFrom.get(body.shard);
    if (from !== worker)
      throw new Rejection('unexpected', `a part of a sum that worker ${worker} does not make`);
    this.#requireNext(isMean ? 'mean' : body.shard, body);
    const floats = floatsOf(body.payload);
    if (isMean) this.#sums.addMean(body.offset / FLOAT, floats);
    else this.#sums.add(body.shard, body.offset / FLOAT, floats);
  }

  /** One connection brings them in order and without gaps, all cut alike. */
  #requireNext(of: Operand | 'mean', { offset, total, payload }: Bodies['chunk']): void {
    const length = this.mean.byteLength;
    if (total !== length)
      throw new Rejection('out_of_range', `a vector of ${total} bytes where ${length} were expected`);
    if (offset !== (this.#received.get(of) ?? 0))
      throw new Rejection('unexpected', `a chunk at ${offset} of operand ${of}, out of order`);
    if (payload.length !== Math.min(CHUNK_BYTES, total - offset))
      throw new Rejection('out_of_range', `a chunk of ${payload.length} bytes`);
    this.#received.set(of, offset + payload.length);
  }
}

function chunk(
  content: Content,
  shard: number,
  offset: number,
  total: number,
  part: Float32Array,
): Bodies['chunk'] {
  return { content, shard, offset: offset * FLOAT, total, request: 0, payload: bytesOf(part) };
}
