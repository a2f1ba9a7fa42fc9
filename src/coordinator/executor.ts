import type { LocalStep } from '../model/local-layout.js';
import type { StepRange } from '../model/local-steps.js';
import type { Measures, Phase } from '../model/phase.js';
import type { StateCopy, StateSource } from '../model/state-source.js';

/** Everybody who held the state is gone: training has to begin again from a checkpoint, or from the seed. */
export class StateLost extends Error {
  override readonly name = 'StateLost';

  constructor(options?: ErrorOptions) {
    super('no worker holds the state any more', options);
  }
}

export interface PhaseOutcome<P extends Phase> {
  readonly measures: Measures<P>;
  /** Euclidean norm of the averaged gradient. */
  readonly gradientNorm: number;
  /** How often the gradient was not finite before it was. */
  readonly redone: number;
  /** The busiest worker's computing. */
  readonly computeSeconds: number;
}

/** What steps of the shards' own came to. */
export interface LocalOutcome {
  /** Each of the steps, in order. */
  readonly steps: readonly LocalStep[];
  /** How often the mean of the states was not finite before it was. */
  readonly redone: number;
  /** The busiest worker's computing, all steps. */
  readonly computeSeconds: number;
}

/** There are no workers that the run could go on with, and none are coming. */
export class WorkersGone extends Error {
  override readonly name = 'WorkersGone';
}

/** Bytes so far: by the coordinator, and by workers to other workers. */
export interface Traffic {
  readonly sent: number;
  readonly received: number;
  readonly amongWorkers: number;
}

/** What computes a run's steps: the fleet of workers, or this process alone. Both give the same numbers. */
export interface ComputeGroup {
  readonly workers: number;
  /** Name of the engine that computes, with its version. */
  readonly engine: string;
  /**
   * Computes a phase of a step on every shard, and updates every replica by the average. Where that is not finite it is
   * computed again, and no replica is updated; rejects with NeverFinite where it stays so. Rejects with StateLost, as
   * all of these can.
   */
  train<P extends Phase>(phase: P, step: number): Promise<PhaseOutcome<P>>;
  /**
   * Has every shard train these steps on its own, from the state that all have, and gives every replica the mean of the
   * states that they come to. In a run with local steps, instead of `train`; rejects as it does.
   */
  trainLocally(steps: StepRange): Promise<LocalOutcome>;
  /** The images of the fixed noise, as the generator draws them now. [64 * size * size * 3] */
  samples(): Promise<Float32Array>;
  /**
   * Copies the whole state as it is now. Training may go on, and samples may be asked for, while the copy is read. One
   * at a time: the next copy takes the place of this one.
   */
  copyState(): Promise<StateCopy>;
  /** Gives every replica the state to compute `firstStep` from, the seed's where there is none, after StateLost. */
  restart(from: StateSource | undefined, firstStep: number): Promise<void>;
  /** Bytes on the wire so far. */
  traffic(): Traffic;
  close(): Promise<void>;
}
