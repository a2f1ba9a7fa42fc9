import type { MeanArray } from '../../averaging/mean-array.js';
import { sumsOf, type Summation } from '../../averaging/order-of-sums.js';
import type { PartPool } from '../../averaging/part-pool.js';
import { planAllHere } from '../../averaging/sum-plan.js';
import { VectorSums } from '../../averaging/vector-sums.js';
import { firstNotFinite } from '../../model/gradient-norm.js';
import type { RoundName } from '../../model/round.js';
import { floatsOf } from '../../common/bytes.js';
import { CHUNK_BYTES } from '../../wire/codec.js';
import type { Bodies, Header } from '../../wire/message.js';
import { Rejection } from '../../wire/rejection.js';
import type { NotFiniteElement } from '../until-finite.js';

const FLOAT = Float32Array.BYTES_PER_ELEMENT;

export interface PhaseRoundOptions {
  readonly phase: RoundName;
  readonly step: number;
  readonly workerOfShard: ReadonlyMap<number, number>;
  readonly summation: Summation | undefined;
  readonly into: MeanArray;
  readonly pool: PartPool;
  /** Where in the vector that part ends whose norm says whether the mean is finite: the gradient. */
  readonly gradientEnd: number;
  /** Whether to look for elements that are not finite. */
  readonly inspect?: boolean;
}

/** One phase of one step: gathers every shard's gradient into the sum, and how long each worker took. */
export class PhaseRound {
  readonly #sums: VectorSums;
  readonly #length: number;
  /** The worker of each shard whose gradient is not complete yet. */
  readonly #waiting: Map<number, number>;
  readonly #received = new Map<number, number>();
  readonly #secondsOfWorker = new Map<number, number>();
  #notFinite: NotFiniteElement | undefined;
  /** The part of the mean that the last chunk made whole. */
  #whole: Float32Array | undefined;

  constructor(private readonly options: PhaseRoundOptions) {
    const { workerOfShard, summation, into, pool, gradientEnd } = options;
    this.#waiting = new Map(workerOfShard);
    this.#length = into.floats.byteLength;
    this.#sums = new VectorSums({
      plan: planAllHere(sumsOf(summation, workerOfShard.size), workerOfShard.size),
      ...{ mean: into, pool, gradientEnd },
      onOperand: () => undefined,
      onMean: (_, part) => {
        this.#whole = part;
      },
    });
  }

  get complete(): boolean {
    return this.#waiting.size === 0;
  }

  /** Numbers of the workers that have not sent everything. */
  get late(): number[] {
    return [...new Set(this.#waiting.values())].sort((one, other) => one - other);
  }

  get secondsOfWorker(): ReadonlyMap<number, number> {
    return this.#secondsOfWorker;
  }

  /** The first element that is not finite of the first shard that has one, where they are looked for. */
  get notFinite(): NotFiniteElement | undefined {
    return this.#notFinite;
  }

  /** The mean over the shards, in the array given to the constructor. */
  mean(): Float32Array {
    this.#requireWhole();
    return this.options.into.floats;
  }

  gradientNorm(): number {
    this.#requireWhole();
    return this.#sums.gradientNorm ?? NaN;
  }

  /**
   * Returns the mean in the place of this chunk, where it is whole with it; the chunk must stay as it is until then.
   * Throws a Rejection for what this worker cannot send now.
   */
  addChunk(
    worker: number,
    header: Header,
    { shard, offset, total, payload }: Bodies['chunk'],
  ): Float32Array | undefined {
    this.#require(worker, header, shard);
    if (total !== this.#length)
      throw new Rejection('out_of_range', `a gradient of ${total} bytes where ${this.#length} were expected`);
    if (offset !== (this.#received.get(shard) ?? 0))
      throw new Rejection('unexpected', `a chunk at ${offset} of shard ${shard}, out of order`);
    // All shards are cut alike: parts of the same place are added.
    if (payload.length !== Math.min(CHUNK_BYTES, total - offset))
      throw new Rejection('out_of_range', `a chunk of ${payload.length} bytes`);
    this.#received.set(shard, offset + payload.length);
    const floats = floatsOf(payload);
    if (this.options.inspect) this.#search(worker, shard, offset / FLOAT, floats);
    this.#whole = undefined;
    this.#sums.add(shard, offset / FLOAT, floats);
    return this.#whole;
  }

  shardDone(worker: number, header: Header, { shard, computeSeconds }: Bodies['shardDone']): void {
    this.#require(worker, header, shard);
    if (this.#received.get(shard) !== this.#length)
      throw new Rejection('unexpected', `shard ${shard} is said to be done before its gradient is here`);
    this.#waiting.delete(shard);
    this.#secondsOfWorker.set(worker, (this.#secondsOfWorker.get(worker) ?? 0) + computeSeconds);
  }

  /** A shard's chunks come in order: what is found first in it is its first. */
  #search(worker: number, shard: number, at: number, floats: Float32Array): void {
    if (this.#notFinite && this.#notFinite.shard <= shard) return;
    const found = firstNotFinite(floats);
    if (found !== undefined) this.#notFinite = { shard, worker, element: at + found };
  }

  #require(worker: number, { phase, step }: Header, shard: number): void {
    const due = this.options;
    if (phase !== due.phase || step !== due.step)
      throw new Rejection(
        'unexpected',
        `a gradient of step ${step}, ${String(phase)}, in step ${due.step}, ${due.phase}`,
      );
    if (this.#waiting.get(shard) !== worker)
      throw new Rejection('unexpected', `a gradient of shard ${shard}, which worker ${worker} does not owe`);
  }

  #requireWhole(): void {
    if (!this.#sums.complete) throw new Error('a mean needs every part of every shard');
  }
}
