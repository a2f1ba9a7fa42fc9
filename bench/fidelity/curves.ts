import type { Losses } from './losses.js';

export const MEASURES = ['discriminatorLoss', 'generatorLoss'] as const;
export type Measure = (typeof MEASURES)[number];

/** Several runs of one program, in one window. */
export interface Band {
  /** Of the runs' means. */
  readonly mean: number;
  readonly least: number;
  readonly most: number;
}

/** Of the means of several runs: the widest distance between two. */
export function spreadOf({ least, most }: Band): number {
  return most - least;
}

export function bandOf(values: readonly number[]): Band {
  return { mean: meanOf(values), least: Math.min(...values), most: Math.max(...values) };
}

/** Cuts each run into so many windows of nearly the same length, and compares the runs' means in each. */
export function bandsOf(runs: readonly Losses[], measure: Measure, windows: number): Band[] {
  return windowEnds(runs[0].length, windows).map(([from, to]) =>
    bandOf(runs.map((run) => meanOf(run.slice(from, to).map((step) => step[measure])))),
  );
}

/** [first, one past the last) of each window. */
export function windowEnds(steps: number, windows: number): (readonly [number, number])[] {
  const edge = (window: number): number => Math.round((window * steps) / windows);
  return Array.from({ length: windows }, (_, window) => [edge(window), edge(window + 1)] as const);
}

export function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
