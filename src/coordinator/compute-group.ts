import type { Phase } from '../model/phase.js';

/** Takes a part of an array that comes in order, at this byte. */
export type TakeBytes = (bytes: Uint8Array, offset: number) => Promise<void> | void;

/** Where training starts from, where that is not the seed: the bytes of a whole state. */
export interface StateSource {
  readonly bytes: number;
  read(offset: number, length: number): Promise<Uint8Array>;
}

export interface PhaseResult {
  /** The phase's vector, averaged over all shards (see `phaseLayout`). Overwritten by the phase's next result. */
  readonly averaged: Float32Array;
  /** The busiest worker's computing. */
  readonly computeSeconds: number;
}

/** What computes a run's steps: the fleet of workers, or this process alone. Both give the same numbers. */
export interface ComputeGroup {
  readonly workers: number;
  /** Name of the engine that computes, with its version. */
  readonly engine: string;
  compute(phase: Phase, step: number): Promise<PhaseResult>;
  /** Updates every replica. The next compute() sees it, whether or not this has resolved. */
  apply(phase: Phase, step: number, averaged: Float32Array): Promise<void>;
  /** The images of the fixed noise, as the generator draws them now. [64 * size * size * 3] */
  samples(): Promise<Float32Array>;
  /** Hands over the whole state as it is now, piece by piece. */
  saveState(take: TakeBytes): Promise<void>;
  /** Bytes on the wire so far. */
  traffic(): { readonly sent: number; readonly received: number };
  close(): Promise<void>;
}
