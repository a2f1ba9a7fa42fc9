import type { SummingMemory } from './summing-memory.js';
import { SCALE_BLOCK, scaleBytes } from './wire-format.js';

const FLOAT = Float32Array.BYTES_PER_ELEMENT;

/** What an integer is at most: -128 is left out, so that a number and its negative are rounded alike. */
const MOST = 127;

/** What rounding has left of a part of a vector so far, and what it leaves this time. Both lie in the same memory. */
export interface Rest {
  readonly kept: Float32Array;
  readonly next: Float32Array;
}

/**
 * A part of a vector, and what was kept of it, as int8: the scale of each block, then all integers. Its length is a
 * multiple of 16. Where a number is not finite, its whole block is not, either. `into` and the rest lie in `memory`.
 */
export function writeInt8(
  memory: SummingMemory,
  into: Uint8Array,
  vector: Float32Array,
  { kept, next }: Rest,
): void {
  const { kernels } = memory;
  const { length } = vector;
  const address = memory.addressOf(vector, 0);
  const scales = new DataView(into.buffer, into.byteOffset);
  const integers = into.byteOffset + scaleBytes(length);
  next.set(kept);
  for (let at = 0; at < length; at += SCALE_BLOCK) {
    const size = Math.min(SCALE_BLOCK, length - at);
    const rest = next.byteOffset + at * FLOAT;
    const scale = Math.fround(kernels.addRest(rest, address + at * FLOAT, size * FLOAT) / MOST);
    scales.setFloat32((at / SCALE_BLOCK) * FLOAT, scale, true);
    // Nothing, or next to nothing, is kept whole.
    kernels.quantise(integers + at, rest, size, scale === 0 ? 1 : scale);
  }
}

/** The numbers that a part was written from, but for rounding. `into` lies in `memory`, what is read anywhere. */
export function readInt8(memory: SummingMemory, into: Float32Array, from: Uint8Array): void {
  const { length } = into;
  const scales = new DataView(from.buffer, from.byteOffset);
  const integers = memory.addressOf(from, 0) + scaleBytes(length);
  for (let at = 0; at < length; at += SCALE_BLOCK) {
    const size = Math.min(SCALE_BLOCK, length - at);
    const scale = scales.getFloat32((at / SCALE_BLOCK) * FLOAT, true);
    memory.kernels.dequantise(into.byteOffset + at * FLOAT, integers + at, size, scale);
  }
}

/** The first block's beginning that has a scale that is not finite; undefined where there is none. */
export function firstBlockNotFinite(from: Uint8Array, length: number): number | undefined {
  const scales = new DataView(from.buffer, from.byteOffset);
  for (let at = 0; at < length; at += SCALE_BLOCK)
    if (!Number.isFinite(scales.getFloat32((at / SCALE_BLOCK) * FLOAT, true))) return at;
  return undefined;
}
