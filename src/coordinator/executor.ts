import type { LocalStep } from '../model/local-layout.js';
import type { StepRange } from '../model/local-steps.js';
import type { Measures, Phase } from '../model/phase.js';
import type { StateCopy, StateSource } from '../model/state-source.js';

/** Thrown if all workers with the state are lost. Training must restart from a checkpoint or the seed. */
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
  /** Attempts whose gradient was not finite. */
  readonly redone: number;
  /** The busiest worker's computing. */
  readonly computeSeconds: number;
}

/** Result of local steps. */
export interface LocalOutcome {
  /** Each of the steps, in order. */
  readonly steps: readonly LocalStep[];
  /** Attempts whose mean state was not finite. */
  readonly redone: number;
  /** The busiest worker's computing, all steps. */
  readonly computeSeconds: number;
}

/** Thrown if no worker is left and none is expected. */
export class WorkersGone extends Error {
  override readonly name = 'WorkersGone';
}

/** Bytes so far: by the coordinator, and by workers to other workers. */
export interface Traffic {
  readonly sent: number;
  readonly received: number;
  readonly amongWorkers: number;
}

/** Computes the steps of a run: the fleet of workers, or this process alone. Both produce the same numbers. */
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
   * Copies the whole state. Training and sampling may continue while the copy is read. The next copy replaces this
   * one.
   */
  copyState(): Promise<StateCopy>;
  /** Gives every replica the state to compute `firstStep` from, the seed's where there is none, after StateLost. */
  restart(from: StateSource | undefined, firstStep: number): Promise<void>;
  /** Bytes on the wire so far. */
  traffic(): Traffic;
  close(): Promise<void>;
}
