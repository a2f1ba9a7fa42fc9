import { bytesOf, halvesOf, floatsOf } from '../common/bytes.js';
import { widen } from './bfloat16.js';
import { SummingMemory } from './summing-memory.js';
import type { Cut } from './vector-cuts.js';
import type { WireFormat } from './wire-format.js';

/** Array of a mean, in memory that other threads of the process share. */
export interface MeanArray {
  readonly memory: SummingMemory;
  readonly floats: Float32Array<SharedArrayBuffer>;
  /** The same as it is written where the mean is rounded to bfloat16; empty in a run that does not round. */
  readonly halves: Uint16Array;
}

/** Allocates memory that is freed with the array. */
export function meanArray(length: number, wire: WireFormat = 'fp32'): MeanArray {
  const halves = wire === 'fp32' ? 0 : length;
  const memory = new SummingMemory(length + Math.ceil(halves / 2));
  const floats = memory.allocate(length);
  const { buffer, byteOffset } = memory.allocate(Math.ceil(halves / 2));
  return { memory, floats, halves: new Uint16Array(buffer, byteOffset, halves) };
}

/** A part of a mean that is here, as it is written; it stays as it is until the array's next round. */
export function writtenMean({ floats, halves }: MeanArray, { offset, length, format }: Cut): Uint8Array {
  const numbers = format === 'fp32' ? floats : halves;
  return bytesOf(numbers.subarray(offset, offset + length));
}

/** Puts a part of a mean that was made elsewhere into its place. */
export function readMean(array: MeanArray, { offset, length, format }: Cut, payload: Uint8Array): void {
  const { memory, floats, halves } = array;
  if (format === 'fp32') {
    floats.set(floatsOf(payload), offset);
    return;
  }
  const part = halves.subarray(offset, offset + length);
  part.set(halvesOf(payload));
  widen(memory, floats.subarray(offset, offset + length), part);
}
