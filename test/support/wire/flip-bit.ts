import { uniformInt } from 'pure-rand/distribution/uniformInt';
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';

/** These bytes with one bit another; a copy. There has to be at least one byte. */
export function flipBit(bytes: Uint8Array, stream: RandomGenerator): Uint8Array {
  const changed = bytes.slice();
  changed[uniformInt(stream, 0, bytes.length - 1)] ^= 1 << uniformInt(stream, 0, 7);
  return changed;
}
