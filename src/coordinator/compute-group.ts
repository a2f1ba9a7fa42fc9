import type { Measures, Phase } from '../model/phase.js';

/** Takes a part of an array that comes in order, at this byte. */
export type TakeBytes = (bytes: Uint8Array, offset: number) => Promise<void> | void;

/** Where training starts from, where that is not the seed: the bytes of a whole state. */
export interface StateSource {
  readonly bytes: number;
  /** SHA-256 of all of them. */
  readonly digest: string;
  read(offset: number, length: number): Promise<Uint8Array>;
}

export interface PhaseOutcome<P extends Phase> {
  readonly measures: Measures<P>;
  /** Euclidean norm of the averaged gradient. */
  readonly gradientNorm: number;
  /** The busiest worker's computing. */
  readonly computeSeconds: number;
}

/** No worker holds the state any more: the run must go back to where there is one. */
export class StateLost extends Error {
  override readonly name = 'StateLost';

  constructor() {
    super('no worker holds the state any more');
  }
}

/** The worker that held a copy of the state is gone: another copy has to be made. */
export class CopyLost extends Error {
  override readonly name = 'CopyLost';
}

/** There are no workers that the run could go on with, and none are coming. */
export class WorkersGone extends Error {
  override readonly name = 'WorkersGone';
}

/** A state as it was when the copy was made. */
export interface StateCopy {
  /** Hands it over, piece by piece, once. Rejects with CopyLost. */
  read(take: TakeBytes): Promise<void>;
}

/** What computes a run's steps: the fleet of workers, or this process alone. Both give the same numbers. */
export interface ComputeGroup {
  readonly workers: number;
  /** Name of the engine that computes, with its version. */
  readonly engine: string;
  /**
   * Computes a phase of a step on every shard, and updates every replica by the average. Rejects with NotFinite where
   * that is no number, and then updates none.
   */
  train<P extends Phase>(phase: P, step: number): Promise<PhaseOutcome<P>>;
  /** The images of the fixed noise, as the generator draws them now. [64 * size * size * 3] */
  samples(): Promise<Float32Array>;
  /** Copies the whole state as it is now; training may go on while the copy is read. One at a time. */
  copyState(): Promise<StateCopy>;
  /** Goes back to this state (undefined: that of the seed), which comes before `firstStep`. */
  restart(from: StateSource | undefined, firstStep: number): Promise<void>;
  /** Bytes on the wire so far. */
  traffic(): { readonly sent: number; readonly received: number };
  close(): Promise<void>;
}
