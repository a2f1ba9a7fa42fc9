import type { Engine, EngineName, Precision } from '../engine/engine.js';
import type { AdamOptions } from './adam.js';
import type { Phase } from './phase.js';
import type { StepOptions } from './regularization.js';

/**
 * Requests of the main thread to the compute thread, and their responses. Arrays lie in shared memory or, if the
 * engine creates them at each call, are transferred: nothing is copied.
 */
export interface ReplicaCalls {
  load: {
    request: {
      engine: EngineName;
      model: StepOptions;
      optimizer: AdamOptions;
      /** Records the step for shards of so many images; undefined: computes operation by operation. */
      recorded?: { batch: number; precision: Precision } | undefined;
    };
    response: Engine;
  };
  restore: { request: { state: Float32Array; at?: number }; response: null };
  save: { request: { into: Float32Array; at?: number }; response: null };
  /** See `Replica.computeRealBatch`. */
  computeRealBatch: {
    request: { images: Float32Array; noise: Float32Array; draws?: Float32Array };
    response: { seconds: number };
  };
  compute: {
    request: { phase: Phase; images?: Float32Array; noise: Float32Array; draws?: Float32Array };
    response: { seconds: number; vector: Float32Array<ArrayBuffer> };
  };
  apply: { request: { phase: Phase; step: number; averaged: Float32Array }; response: { seconds: number } };
  /** See `Replica.train`; `into` takes the measures. */
  train: {
    request: {
      phase: Phase;
      step: number;
      images?: Float32Array;
      noise: Float32Array;
      draws?: Float32Array;
      into: Float32Array;
    };
    response: { seconds: number; gradientNorm: number } | { notFinite: true };
  };
  sample: { request: { noise: Float32Array; into: Float32Array }; response: null };
  generate: { request: { noise: Float32Array; into: Float32Array }; response: null };
  memory: { request: Record<string, never>; response: { tensors: number; bytes: number } };
}

export type CallName = keyof ReplicaCalls;

export type CallMessage = {
  [Name in CallName]: {
    readonly id: number;
    readonly name: Name;
    readonly request: ReplicaCalls[Name]['request'];
  };
}[CallName];

export type AnswerMessage =
  { readonly id: number; readonly response: unknown } | { readonly id: number; readonly error: string };

/** A float32 array that both threads see. */
export function sharedFloats(length: number): Float32Array<SharedArrayBuffer> {
  return new Float32Array(new SharedArrayBuffer(length * Float32Array.BYTES_PER_ELEMENT));
}
