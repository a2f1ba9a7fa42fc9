import { normOf } from '../../../averaging/vector-sums.js';
import type { RoundName } from '../../../model/round.js';
import { floatsOf } from '../../../common/bytes.js';
import type { Bodies, Header } from '../../../wire/message.js';
import { Rejection } from '../../../wire/rejection.js';

export interface PeerRoundOptions {
  readonly phase: RoundName;
  readonly step: number;
  /** Count of measures at the end of the vector. */
  readonly measures: number;
  readonly workerOfShard: ReadonlyMap<number, number>;
  /** Cuts of the phase's vector. One worker computes each part of the mean. */
  readonly parts: number;
}

/** One phase of one step that is averaged among workers: complete when each of them has the whole mean. */
export class PeerRound {
  /** The worker of each shard that is not computed yet. */
  readonly #computing: Map<number, number>;
  /** Workers that have not got the mean. */
  readonly #averaging: Set<number>;
  readonly #secondsOfWorker = new Map<number, number>();
  /** Squares of the parts of the mean, see `normOf`. */
  readonly #squares = new Map<number, number>();
  #measures: Float32Array | undefined;

  constructor(private readonly options: PeerRoundOptions) {
    this.#computing = new Map(options.workerOfShard);
    this.#averaging = new Set(options.workerOfShard.values());
  }

  get complete(): boolean {
    return this.#computing.size === 0 && this.#averaging.size === 0;
  }

  /**
   * Numbers of the workers that are late. A worker that has computed everything may wait for another, so workers that
   * still compute are named first.
   */
  get late(): number[] {
    const late = this.#computing.size > 0 ? new Set(this.#computing.values()) : this.#averaging;
    return [...late].sort((one, other) => one - other);
  }

  get secondsOfWorker(): ReadonlyMap<number, number> {
    return this.#secondsOfWorker;
  }

  /** The mean's measures, and the Euclidean norm of its gradient. */
  get result(): { readonly measures: Float32Array; readonly gradientNorm: number } {
    if (!this.complete || !this.#measures) throw new Error('the mean is not made yet');
    return { measures: this.#measures, gradientNorm: normOf(this.#squares) };
  }

  shardDone(worker: number, header: Header, { shard, computeSeconds }: Bodies['shardDone']): void {
    this.#requireNow(header);
    if (this.#computing.get(shard) !== worker)
      throw new Rejection('unexpected', `shard ${shard}, which worker ${worker} does not owe`);
    this.#computing.delete(shard);
    this.#secondsOfWorker.set(worker, (this.#secondsOfWorker.get(worker) ?? 0) + computeSeconds);
  }

  averaged(worker: number, header: Header, { parts, squares, measures }: Bodies['averaged']): void {
    this.#requireNow(header);
    if (!this.#averaging.delete(worker))
      throw new Rejection('unexpected', `a mean that worker ${worker} does not owe`);
    for (const [index, part] of parts.entries()) {
      if (part >= this.options.parts || this.#squares.has(part))
        throw new Rejection('unexpected', `part ${part} of the mean, of worker ${worker}`);
      this.#squares.set(part, squares[index]);
    }
    if (measures.length > 0) {
      const floats = floatsOf(measures);
      if (this.#measures || floats.length !== this.options.measures)
        throw new Rejection('unexpected', `measures of worker ${worker}`);
      this.#measures = floats;
    }
    // Whoever has the mean has all parts of it: each was made by one of those that have said so now.
    if (this.#averaging.size === 0 && (this.#squares.size < this.options.parts || !this.#measures))
      throw new Rejection('unexpected', `a mean that nobody has made, of worker ${worker}`);
  }

  #requireNow({ phase, step }: Header): void {
    const due = this.options;
    if (phase !== due.phase || step !== due.step)
      throw new Rejection('unexpected', `step ${step}, ${String(phase)}, in step ${due.step}, ${due.phase}`);
  }
}
