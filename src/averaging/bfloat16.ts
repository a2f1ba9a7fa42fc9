import type { SummingMemory } from './summing-memory.js';

/**
 * Arrays of bfloat16, as integers of 16 bits. Lengths are multiples of 16; what comes out lies in `memory`, what goes in
 * anywhere.
 */

/** Numbers that are copied before they are rounded: with what comes out of them they stay in a core's own cache. */
const COPIED_AT_ONCE = 32 * 1024;

/** `into`, rounded from float32. */
export function narrow(memory: SummingMemory, into: Uint16Array, from: Float32Array): void {
  for (let at = 0; at < from.length; at += COPIED_AT_ONCE) {
    const part = from.subarray(at, at + COPIED_AT_ONCE);
    memory.kernels.narrow(into.byteOffset + 2 * at, memory.addressOf(part, 0), 2 * part.length);
  }
}

/** The same numbers in float32. */
export function widen(memory: SummingMemory, into: Float32Array, from: Uint16Array): void {
  memory.kernels.widen(into.byteOffset, memory.addressOf(from, 0), from.byteLength);
}

/** into = left + right in float32, rounded. `into` may be one of the two. */
export function addBfloat16(
  memory: SummingMemory,
  into: Uint16Array,
  left: Uint16Array,
  right: Uint16Array,
): void {
  const [one, other] = [memory.addressOf(left, 0), memory.addressOf(right, 1)];
  memory.kernels.addBfloat16(into.byteOffset, one, other, into.byteLength);
}

/**
 * (left + right) / divisor in float32, rounded, as floats and as bfloat16. Returns the sum of the squares of what comes
 * out, which is not finite where any of it is not.
 */
export function meanOfBfloat16(
  memory: SummingMemory,
  into: { readonly floats: Float32Array; readonly halves: Uint16Array },
  left: Uint16Array,
  right: Uint16Array,
  divisor: number,
): number {
  const [one, other] = [memory.addressOf(left, 0), memory.addressOf(right, 1)];
  const { floats, halves } = into;
  return memory.kernels.meanBfloat16(
    halves.byteOffset,
    floats.byteOffset,
    one,
    other,
    halves.byteLength,
    divisor,
  );
}

/**
 * Rounds floats where they lie, in `memory`, and writes them as bfloat16 too. Returns the sum of the squares of what they
 * are then, which is not finite where any of them is not.
 */
export function roundInPlace(memory: SummingMemory, floats: Float32Array, into: Uint16Array): number {
  return memory.kernels.round(into.byteOffset, floats.byteOffset, into.byteLength);
}
