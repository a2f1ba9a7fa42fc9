import { UserError } from '../common/errors.js';
import type { TrainingOptions } from '../model/training-options.js';
import type { StateSource } from '../model/state-source.js';
import { readInitial, type InitialFacts, type InitialWeights } from '../formats/read-initial.js';
import { shown } from '../common/display-path.js';

/** Origin of a run without a checkpoint: the weights of --init, or the seed. */
export class Beginning {
  #weights: InitialWeights | undefined;

  /** `recorded`: what an earlier process of the run has read there. */
  constructor(
    private readonly init: string | undefined,
    private readonly training: TrainingOptions,
    private readonly recorded?: InitialFacts,
  ) {}

  get name(): string {
    return this.init === undefined ? 'the seed' : `the weights of ${shown(this.init)}`;
  }

  /** Facts about the weights; undefined for the seed. */
  get facts(): InitialFacts | undefined {
    return this.#weights?.facts ?? this.recorded;
  }

  /**
   * Returns the initial state; undefined for the seed's, which each worker computes. Reads the weights at the first
   * call.
   */
  async state(): Promise<StateSource | undefined> {
    if (this.init === undefined) return undefined;
    this.#weights ??= await readInitial(this.init, this.training);
    if (this.recorded && this.recorded.sha256 !== this.#weights.facts.sha256)
      throw new UserError(
        `${shown(this.init)} no longer holds the weights that the run began with: start a new run`,
      );
    return this.#weights.state;
  }
}
