import { createHash } from 'node:crypto';
import { averagedSlot } from '../model/average-slots.js';
import type { ModelLayout, Slot } from '../model/layout.js';
import { fillInitialState, stateLayout } from '../model/state.js';
import { bytesOf } from '../common/bytes.js';
import type { StateSource } from '../model/state-source.js';
import type { NamedTensors } from './foreign-weights.js';

const FLOAT = Float32Array.BYTES_PER_ELEMENT;

/**
 * The state before the first step of a run that starts from given weights: those, the seed's for a network that is not
 * given, and both Adams at zero. The zeros take no memory. A moving average begins as what it is the average of.
 */
export class InitialState implements StateSource {
  readonly bytes: number;
  readonly digest: string;
  readonly #parts: readonly (Slot & { readonly values: Float32Array | undefined })[];

  constructor(layout: ModelLayout, seed: number, given: NamedTensors) {
    const { slots, length } = stateLayout(layout);
    this.bytes = length * FLOAT;
    const fromSeed = ({ offset, size }: Slot): Float32Array =>
      fillInitialState(layout, seed, new Float32Array(size), offset);
    this.#parts = slots.map((slot) => ({
      ...slot,
      values: slot.name.includes('Moment.')
        ? undefined
        : (given.get(averagedSlot(slot.name) ?? slot.name) ?? fromSeed(slot)),
    }));
    const hash = createHash('sha256');
    for (const { values, size } of this.#parts)
      hash.update(values ? bytesOf(values) : new Uint8Array(size * FLOAT));
    this.digest = hash.digest('hex');
  }

  read(offset: number, length: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(length);
    for (const { values, offset: first, size } of this.#parts) {
      const start = Math.max(offset, first * FLOAT);
      const end = Math.min(offset + length, (first + size) * FLOAT);
      if (values && start < end)
        bytes.set(bytesOf(values).subarray(start - first * FLOAT, end - first * FLOAT), start - offset);
    }
    return Promise.resolve(bytes);
  }
}
