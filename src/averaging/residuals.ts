import { writeInt8 } from './int8.js';
import { PART_FLOATS, SummingMemory } from './summing-memory.js';
import type { Cut } from './vector-cuts.js';

interface Residual {
  kept: Float32Array;
  next: Float32Array;
  /** Whether `next` is of a vector whose update is not made yet. */
  isNew: boolean;
}

/** A part of a vector as int8, which stays until the next one is written. */
export type Int8Writer = (cut: Cut, part: Float32Array) => Uint8Array;

/**
 * What writing shards' gradients as int8 has left of them: added to the next gradient of the same shard and phase, so that
 * nothing is lost but time (Karimireddy et al. 2019, Error feedback fixes SignSGD). It counts when the update was made: a
 * phase that is computed again is written again from what was kept before.
 */
export class Residuals<Phase extends string> {
  readonly #memory = new SummingMemory();
  readonly #staging = this.#memory.allocate(PART_FLOATS);
  /** By phase, then by shard. */
  readonly #residuals = new Map<Phase, Map<number, Residual>>();
  /** Of shards that are elsewhere now, to be used again, by length. */
  readonly #free = new Map<number, Residual[]>();

  /** Writes a shard's vector, which has so many numbers. */
  writer(phase: Phase, shard: number, length: number): Int8Writer {
    const residual = this.#of(phase, shard, length);
    residual.isNew = true;
    const { buffer, byteOffset } = this.#staging;
    return ({ offset, length: size, operand }, part) => {
      const into = new Uint8Array(buffer, byteOffset, operand.bytes);
      const kept = residual.kept.subarray(offset, offset + size);
      const next = residual.next.subarray(offset, offset + size);
      writeInt8(this.#memory, into, part, { kept, next });
      return into;
    };
  }

  /** The phase's update was made by what was written last. */
  settle(phase: Phase): void {
    for (const residual of this.#residuals.get(phase)?.values() ?? []) {
      if (!residual.isNew) continue;
      [residual.kept, residual.next] = [residual.next, residual.kept];
      residual.isNew = false;
    }
  }

  /** Copies what is kept of a shard, from its first number on; zeros where it is nothing. */
  copy(phase: Phase, shard: number, into: Float32Array): void {
    const residual = this.#residuals.get(phase)?.get(shard);
    if (residual) into.set(residual.kept.subarray(0, into.length));
    else into.fill(0);
  }

  /** A shard, whose vector has so many numbers, goes on with these, which were kept of it elsewhere, from `at` on. */
  restore(phase: Phase, shard: number, length: number, from: Float32Array, at = 0): void {
    const residual = this.#of(phase, shard, length);
    residual.isNew = false;
    residual.kept.set(from, at);
  }

  /** A shard begins with nothing. */
  clear(shard: number): void {
    for (const ofShards of this.#residuals.values()) this.#release(ofShards, shard);
  }

  /** All shards but these are somebody else's: should they come back, they begin with nothing. */
  keepOnly(shards: readonly number[]): void {
    for (const ofShards of this.#residuals.values())
      for (const shard of ofShards.keys()) if (!shards.includes(shard)) this.#release(ofShards, shard);
  }

  #release(ofShards: Map<number, Residual>, shard: number): void {
    const residual = ofShards.get(shard);
    if (!residual) return;
    ofShards.delete(shard);
    const { length } = residual.kept;
    this.#free.set(length, [...(this.#free.get(length) ?? []), residual]);
  }

  #of(phase: Phase, shard: number, length: number): Residual {
    const ofShards = this.#residuals.get(phase) ?? new Map<number, Residual>();
    this.#residuals.set(phase, ofShards);
    const known = ofShards.get(shard);
    if (known) return known;
    const used = this.#free.get(length)?.pop();
    used?.kept.fill(0);
    const residual = used ?? {
      ...{ kept: this.#memory.allocate(length), next: this.#memory.allocate(length), isNew: false },
    };
    residual.isNew = false;
    ofShards.set(shard, residual);
    return residual;
  }
}
