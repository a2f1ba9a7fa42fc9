import { uniformInt } from 'pure-rand/distribution/uniformInt';
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';
import { randomStream } from '../common/random.js';
import { Z, type Interval } from './interval.js';

/** Enough for a deviation that is right within some 10 %; of 1,000 descriptors each costs a twentieth of a second. */
const RESAMPLES = 50;

/**
 * The normal bootstrap interval of a statistic of several samples (Efron and Tibshirani 1993, chapter 13): the estimate,
 * and to both sides of it Z times the deviation of what resampled data gives. The percentiles themselves would not do: a
 * Fréchet distance of resampled data is larger, since a resample holds points twice.
 *
 * `statistic` gets for each sample how often each of its points was drawn.
 */
export function bootstrapInterval(
  estimate: number,
  counts: readonly number[],
  statistic: (times: readonly Uint32Array[]) => number,
  seed: number,
): Interval {
  const stream = randomStream(seed, 'bootstrap');
  const values = Array.from({ length: RESAMPLES }, () =>
    statistic(counts.map((count) => resample(count, stream))),
  );
  const half = Z * deviation(values);
  return [Math.max(0, estimate - half), estimate + half];
}

function resample(count: number, stream: RandomGenerator): Uint32Array {
  const times = new Uint32Array(count);
  for (let draw = 0; draw < count; draw++) times[uniformInt(stream, 0, count - 1)]++;
  return times;
}

function deviation(values: readonly number[]): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1));
}
