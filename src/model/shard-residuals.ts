import { Residuals, type Int8Writer } from '../averaging/residuals.js';
import { PHASES } from './phase.js';
import { residualLayout, type ResidualLayout } from './residual-layout.js';
import { roundLayout, type RoundName } from './round.js';
import type { TrainingOptions } from './training-options.js';

/** What rounding has left of the gradients of the shards that are computed here, in a run that sends int8. */
export class ShardResiduals {
  readonly #residuals = new Residuals<RoundName>();
  /** Numbers of a whole vector of each phase. */
  readonly #vectorLengths: ReadonlyMap<RoundName, number>;

  private constructor(
    training: TrainingOptions,
    private readonly layout: ResidualLayout,
  ) {
    this.#vectorLengths = new Map(PHASES.map((phase) => [phase, roundLayout(phase, training).length]));
  }

  /** Undefined in a run where nothing is kept. */
  static of(training: TrainingOptions): ShardResiduals | undefined {
    const layout = residualLayout(training);
    return layout && new ShardResiduals(training, layout);
  }

  /** Numbers that are kept of a shard, of both phases. */
  get length(): number {
    return this.layout.length;
  }

  /** Writes a shard's vector of this phase. */
  writer(phase: RoundName, shard: number): Int8Writer {
    return this.#residuals.writer(phase, shard, this.#vectorLength(phase));
  }

  /** The phase's update was made by what was written last. */
  settle(phase: RoundName): void {
    this.#residuals.settle(phase);
  }

  /** All of a shard as one vector, see `residualLayout`. */
  copy(shard: number, into: Float32Array): void {
    for (const phase of PHASES) {
      const { start, end } = this.layout.spans[phase];
      this.#residuals.copy(phase, shard, into.subarray(start, end));
    }
  }

  /** A shard begins with nothing. */
  clear(shard: number): void {
    this.#residuals.clear(shard);
  }

  /** A shard that began with nothing goes on with this part of such a vector, from number `at` on. */
  restore(shard: number, part: Float32Array, at: number): void {
    for (const phase of PHASES) {
      const span = this.layout.spans[phase];
      const start = Math.max(at, span.start);
      const end = Math.min(at + part.length, span.end);
      if (start >= end) continue;
      const numbers = part.subarray(start - at, end - at);
      this.#residuals.restore(phase, shard, this.#vectorLength(phase), numbers, start - span.start);
    }
  }

  /** All shards but these are somebody else's. */
  keepOnly(shards: readonly number[]): void {
    this.#residuals.keepOnly(shards);
  }

  #vectorLength(phase: RoundName): number {
    const length = this.#vectorLengths.get(phase);
    if (length === undefined) throw new Error(`nothing is rounded in round ${phase}`);
    return length;
  }
}
