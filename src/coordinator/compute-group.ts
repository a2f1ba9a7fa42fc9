import type { Measures, Phase } from '../model/phase.js';

/** Takes a part of an array that comes in order, at this byte. */
export type TakeBytes = (bytes: Uint8Array, offset: number) => Promise<void> | void;

/** Where training starts from, where that is not the seed: the bytes of a whole state. */
export interface StateSource {
  readonly bytes: number;
  read(offset: number, length: number): Promise<Uint8Array>;
}

export interface PhaseOutcome<P extends Phase> {
  readonly measures: Measures<P>;
  /** Euclidean norm of the averaged gradient. */
  readonly gradientNorm: number;
  /** The busiest worker's computing. */
  readonly computeSeconds: number;
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
  /** Hands over the whole state as it is now, piece by piece. */
  saveState(take: TakeBytes): Promise<void>;
  /** Bytes on the wire so far. */
  traffic(): { readonly sent: number; readonly received: number };
  close(): Promise<void>;
}
