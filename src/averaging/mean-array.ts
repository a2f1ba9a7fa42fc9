import { SummingMemory } from './summing-memory.js';

/** Where means are made or come to: an array that other threads of the process see too. */
export interface MeanArray {
  readonly memory: SummingMemory;
  readonly floats: Float32Array<SharedArrayBuffer>;
}

/** A memory of its own, which is given back when nobody holds the array any more. */
export function meanArray(length: number): MeanArray {
  const memory = new SummingMemory(length);
  return { memory, floats: memory.allocate(length) };
}
