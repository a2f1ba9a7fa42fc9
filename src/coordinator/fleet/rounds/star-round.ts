import type { MeanArray } from '../../../averaging/mean-array.js';
import type { Summation } from '../../../averaging/order-of-sums.js';
import type { PartPool } from '../../../averaging/part-pool.js';
import { planAllHere } from '../../../averaging/sum-plan.js';
import { firstNotFiniteIn } from '../../../averaging/not-finite.js';
import type { Cut } from '../../../averaging/vector-cuts.js';
import { normOf, VectorSums } from '../../../averaging/vector-sums.js';
import type { RoundName } from '../../../model/round.js';
import type { Bodies, Header } from '../../../wire/message.js';
import { Rejection } from '../../../wire/rejection.js';
import { ExpectedChunks } from '../../../wire/vector-chunks.js';
import type { NotFiniteElement } from '../../nonfinite-retry.js';

export interface StarRoundOptions {
  readonly phase: RoundName;
  readonly step: number;
  readonly workerOfShard: ReadonlyMap<number, number>;
  readonly summation: Summation | undefined;
  readonly into: MeanArray;
  /** Cuts of the vector. */
  readonly cuts: readonly Cut[];
  readonly pool: PartPool;
  /** End of the gradient in the vector: its norm shows whether the mean is finite. */
  readonly gradientEnd: number;
  /** True to search for non-finite elements. */
  readonly inspect?: boolean;
}

/** A part of the mean that is whole, as it is written. */
export interface WholePart {
  readonly cut: Cut;
  readonly payload: Uint8Array;
}

/** One phase of one step: gathers every shard's gradient into the sum, and how long each worker took. */
export class StarRound {
  readonly #sums: VectorSums;
  /** The worker of each shard whose gradient is not complete yet. */
  readonly #waiting: Map<number, number>;
  readonly #expected = new Map<number, ExpectedChunks>();
  readonly #secondsOfWorker = new Map<number, number>();
  #notFinite: NotFiniteElement | undefined;
  /** The part of the mean that the last chunk made whole. */
  #whole: WholePart | undefined;

  constructor(private readonly options: StarRoundOptions) {
    const { workerOfShard, summation, into, pool, gradientEnd } = options;
    this.#waiting = new Map(workerOfShard);
    const plan = planAllHere(summation, workerOfShard.size);
    this.#sums = new VectorSums({
      planOf: () => plan,
      ...{ mean: into, pool, gradientEnd },
      onOperand: () => undefined,
      onMean: (cut, payload) => {
        this.#whole = { cut, payload };
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
    return normOf(this.#sums.squares);
  }

  /**
   * Returns the mean in the place of this chunk, where it is whole with it; the chunk must stay as it is until then.
   * Throws a Rejection for what this worker cannot send now.
   */
  addChunk(worker: number, header: Header, body: Bodies['chunk']): WholePart | undefined {
    const { shard, payload } = body;
    const { cuts, inspect } = this.options;
    this.#require(worker, header, shard);
    const cut = cuts[this.#expectedOf(shard).take(body)];
    if (inspect) this.#search(worker, shard, cut, payload);
    this.#whole = undefined;
    this.#sums.add(shard, cut, payload);
    return this.#whole;
  }

  shardDone(worker: number, header: Header, { shard, computeSeconds }: Bodies['shardDone']): void {
    this.#require(worker, header, shard);
    if (!this.#expectedOf(shard).complete)
      throw new Rejection('unexpected', `shard ${shard} is said to be done before its gradient is here`);
    this.#waiting.delete(shard);
    this.#secondsOfWorker.set(worker, (this.#secondsOfWorker.get(worker) ?? 0) + computeSeconds);
  }

  #expectedOf(shard: number): ExpectedChunks {
    const { into, cuts } = this.options;
    const known = this.#expected.get(shard);
    if (known) return known;
    const expected = new ExpectedChunks(into.floats.length, cuts);
    this.#expected.set(shard, expected);
    return expected;
  }

  /** A shard's chunks come in order: what is found first in it is its first. */
  #search(worker: number, shard: number, cut: Cut, payload: Uint8Array): void {
    if (this.#notFinite && this.#notFinite.shard <= shard) return;
    const found = firstNotFiniteIn(cut, payload);
    if (found !== undefined) this.#notFinite = { shard, worker, element: cut.offset + found };
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
