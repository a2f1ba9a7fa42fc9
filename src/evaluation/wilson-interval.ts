import { Z, type Interval } from './interval.js';

/** The score interval of a share (Wilson 1927): it holds near 0 and 1 too, where the usual one has no width. */
export function wilsonInterval(successes: number, trials: number): Interval {
  if (!(trials > 0 && successes >= 0 && successes <= trials))
    throw new RangeError(`${successes} of ${trials} is no share`);
  const share = successes / trials;
  const centre = share + Z ** 2 / (2 * trials);
  const half = Z * Math.sqrt((share * (1 - share)) / trials + (Z / (2 * trials)) ** 2);
  const scale = 1 + Z ** 2 / trials;
  // At either end the formula is exact only up to rounding.
  const low = successes === 0 ? 0 : (centre - half) / scale;
  const high = successes === trials ? 1 : (centre + half) / scale;
  return [low, high];
}
