import { createHash } from 'node:crypto';
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plusFromState } from 'pure-rand/generator/xoroshiro128plus';
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';

/**
 * Returns a random stream for a purpose. The same seed and names yield the same numbers on every machine and engine,
 * in any order of calls, so a resumed run needs no saved state. Example: randomStream(seed, 'noise', step, shard)
 */
export function randomStream(seed: number, ...names: readonly (string | number)[]): RandomGenerator {
  const digest = createHash('sha256')
    .update(JSON.stringify([seed, ...names]))
    .digest();
  return xoroshiro128plusFromState([0, 4, 8, 12].map((offset) => digest.readInt32LE(offset)));
}

/** Draws from N(mean, deviation) by the Box-Muller transform; float32. */
export function fillNormal(
  into: Float32Array,
  stream: RandomGenerator,
  mean = 0,
  deviation = 1,
): Float32Array {
  for (let i = 0; i < into.length; i += 2) {
    const radius = deviation * Math.sqrt(-2 * Math.log(1 - uniformFloat64(stream)));
    const angle = 2 * Math.PI * uniformFloat64(stream);
    into[i] = mean + radius * Math.cos(angle);
    if (i + 1 < into.length) into[i + 1] = mean + radius * Math.sin(angle);
  }
  return into;
}

/** A permutation of 0 .. length - 1 (Fisher-Yates). */
export function permutation(length: number, stream: RandomGenerator): Uint32Array {
  const order = Uint32Array.from({ length }, (_, index) => index);
  for (let last = length - 1; last > 0; last--) {
    const other = uniformInt(stream, 0, last);
    const kept = order[last];
    order[last] = order[other];
    order[other] = kept;
  }
  return order;
}
