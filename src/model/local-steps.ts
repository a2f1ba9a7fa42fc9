import { modelLayout } from './layout.js';
import { localLayout, placeOfPhase, type LocalLayout } from './local-layout.js';
import { PHASES, type Phase } from './phase.js';
import type { ReplicaHandle } from './replica-handle.js';
import { sharedFloats } from './replica-protocol.js';
import { NotFinite } from './replica.js';
import type { ShardTrainer, ShardGradient, ShardStep } from './shard-trainer.js';
import type { TrainingOptions } from './training-options.js';

/** Steps that follow each other, both counted from 1 and both included. */
export interface StepRange {
  readonly first: number;
  readonly last: number;
}

/**
 * Has shards train whole steps on their own, each from the state that all have in common: local SGD (McMahan et al. 2017;
 * Stich 2019). A replica trains one shard after the other, and goes back to the common state in between, so that what a
 * shard comes to does not depend on which others are computed here. It costs a copy of the state, and one for each shard.
 */
export class LocalSteps {
  readonly #layout: LocalLayout;
  readonly #localSteps: number;
  #common: Float32Array | undefined;
  /** True if that is the state that shards begin with. */
  #isKnown = false;
  /** True if the replica has left it. */
  #isAway = false;
  /** For the vectors of shards; those of the round under way may still be read. */
  readonly #free: Float32Array[] = [];
  #given: Float32Array[] = [];

  /** `localSteps`: the most of a round. */
  constructor(
    training: TrainingOptions,
    private readonly replica: ReplicaHandle,
  ) {
    this.#localSteps = training.localSteps ?? 1;
    this.#layout = localLayout(modelLayout(training), this.#localSteps);
  }

  /** Starts a round. Vectors of an abandoned one may still be in transit and do not change. */
  begin(): void {
    this.#given = [];
  }

  /**
   * Trains a shard. Its vector (see `localLayout`) stays as it is until the mean is taken over. Where a gradient is not
   * finite the shard goes no further: its norm, which is in the vector, says so. Undefined where it is not wanted any
   * more before the end.
   */
  async compute(
    computer: ShardTrainer,
    { first, last }: StepRange,
    shard: number,
    next: ShardStep,
    isWanted = (): boolean => true,
  ): Promise<ShardGradient | undefined> {
    const started = performance.now();
    await this.#leave();
    const vector = this.#vector();
    for (let step = first; step <= last; step++)
      for (const phase of PHASES) {
        if (!isWanted()) return undefined;
        const following = step < last ? { step: step + 1, shard } : next;
        const isFinite = await this.#train(computer, vector, { phase, step, shard, following });
        if (isFinite) continue;
        vector.fill(0, this.#layout.state.start, this.#layout.state.end);
        return { vector, seconds: secondsSince(started) };
      }
    const { start, end } = this.#layout.state;
    await this.replica.call('save', { into: vector.subarray(start, end) });
    return { vector, seconds: secondsSince(started) };
  }

  /** The mean over all shards: the state that they have in common from now on, and the replica too. */
  async takeOver(mean: Float32Array): Promise<void> {
    const { start, end } = this.#layout.state;
    const state = mean.subarray(start, end);
    this.forget();
    await this.replica.call('restore', { state });
    this.#copy().set(state);
    this.#isKnown = true;
    this.#free.push(...this.#given);
    this.#given = [];
  }

  /** The replica is to have the common state again. */
  async comeBack(): Promise<void> {
    if (!this.#isAway) return;
    await this.replica.call('restore', { state: this.#copy() });
    this.#isAway = false;
  }

  /** The replica is given another state. */
  forget(): void {
    this.#isKnown = false;
    this.#isAway = false;
  }

  async #leave(): Promise<void> {
    await this.comeBack();
    if (!this.#isKnown) await this.replica.call('save', { into: this.#copy() });
    this.#isKnown = true;
    this.#isAway = true;
  }

  /** One phase of a step. False where its gradient is not finite. */
  async #train(
    computer: ShardTrainer,
    vector: Float32Array,
    {
      phase,
      step,
      shard,
      following,
    }: {
      readonly phase: Phase;
      readonly step: number;
      readonly shard: number;
      readonly following: ShardStep;
    },
  ): Promise<boolean> {
    const { start, end } = placeOfPhase(phase, step, this.#localSteps);
    const place = vector.subarray(this.#layout.measures.start + start, this.#layout.measures.start + end);
    try {
      const { measures, gradientNorm } = await computer.train(phase, step, shard, following);
      place.set(measures);
      place[measures.length] = gradientNorm;
      return true;
    } catch (error) {
      if (!(error instanceof NotFinite)) throw error;
      place.fill(NaN, place.length - 1);
      return false;
    }
  }

  #copy(): Float32Array {
    return (this.#common ??= sharedFloats(this.#layout.state.end));
  }

  /** A round may have fewer steps than there are places: the others are 0. */
  #vector(): Float32Array {
    const vector = this.#free.pop() ?? sharedFloats(this.#layout.length);
    this.#given.push(vector);
    return vector.fill(0, this.#layout.measures.start);
  }
}

function secondsSince(started: number): number {
  return (performance.now() - started) / 1000;
}
