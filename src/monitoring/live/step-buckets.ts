import { MEASURES, type Measure, type StepColumns } from '../page/api.js';
import type { StepRecord } from '../../run/step-record.js';

/** Buckets that are kept: more are merged in pairs. Two rows each, that is twice the pixels of a wide screen. */
const MOST_BUCKETS = 4096;

/** Lowest and highest value of some steps, in the order in which they came; NaN if there is none. */
interface Extremes {
  readonly first: number;
  readonly second: number;
}

interface Bucket {
  readonly count: number;
  readonly firstStep: number;
  readonly lastStep: number;
  readonly extremes: Readonly<Record<Measure, Extremes>>;
}

/**
 * The curves of a run of any length in bounded memory: neighbouring steps share a bucket that keeps the lowest and the
 * highest value of each measure, so that no spike is lost.
 */
export class StepBuckets {
  #buckets: Bucket[] = [];
  /** Steps of a full bucket. */
  #stride = 1;

  add(record: StepRecord): void {
    const bucket = bucketOf(record);
    const last = this.#buckets.at(-1);
    if (last && last.count < this.#stride) this.#buckets[this.#buckets.length - 1] = merge(last, bucket);
    else this.#buckets.push(bucket);
    if (this.#buckets.length <= MOST_BUCKETS) return;
    this.#buckets = inGroups(this.#buckets, 2);
    this.#stride *= 2;
  }

  clear(): void {
    this.#buckets = [];
    this.#stride = 1;
  }

  /** At most `most` rows (4 or more). */
  columns(most: number): StepColumns {
    const isFew = this.#buckets.length <= most && this.#stride === 1;
    const size = isFew ? 1 : Math.ceil((2 * this.#buckets.length) / most);
    const steps: number[] = [];
    const measures = Object.fromEntries(
      MEASURES.map((measure) => [measure, [] as (number | null)[]]),
    ) as Record<Measure, (number | null)[]>;
    for (const { count, firstStep, lastStep, extremes } of inGroups(this.#buckets, size)) {
      steps.push(firstStep);
      if (count > 1) steps.push(lastStep);
      for (const measure of MEASURES) {
        measures[measure].push(finite(extremes[measure].first));
        if (count > 1) measures[measure].push(finite(extremes[measure].second));
      }
    }
    return { steps, measures, last: this.#buckets.at(-1)?.lastStep ?? 0 };
  }
}

function bucketOf(record: StepRecord): Bucket {
  const extremes = Object.fromEntries(
    MEASURES.map((measure) => [measure, { first: record[measure], second: record[measure] }]),
  ) as Record<Measure, Extremes>;
  return { count: 1, firstStep: record.step, lastStep: record.step, extremes };
}

function merge(one: Bucket, next: Bucket): Bucket {
  const extremes = Object.fromEntries(
    MEASURES.map((measure) => [measure, mergeExtremes(one.extremes[measure], next.extremes[measure])]),
  ) as Record<Measure, Extremes>;
  return { count: one.count + next.count, firstStep: one.firstStep, lastStep: next.lastStep, extremes };
}

/** In one pass: the curves of a long run take some 50,000 of these. */
function mergeExtremes(one: Extremes, next: Extremes): Extremes {
  let low = Number.NaN;
  let high = Number.NaN;
  let isLowFirst = false;
  for (const value of [one.first, one.second, next.first, next.second]) {
    if (!Number.isFinite(value)) continue;
    if (!(value >= low)) {
      low = value;
      isLowFirst = false;
    }
    if (!(value <= high)) {
      high = value;
      isLowFirst = true;
    }
  }
  if (Number.isNaN(low)) return one;
  return isLowFirst ? { first: low, second: high } : { first: high, second: low };
}

function inGroups(buckets: readonly Bucket[], size: number): Bucket[] {
  if (size === 1) return [...buckets];
  return Array.from({ length: Math.ceil(buckets.length / size) }, (_, group) =>
    buckets.slice(group * size, (group + 1) * size).reduce(merge),
  );
}

function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
