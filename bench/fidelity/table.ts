import { bandOf, type Band } from './curves.js';
import type { Judged } from './verdict.js';

/** One row a window: the mean of each program's runs, least to most in brackets. */
export function curveLines(title: string, here: readonly Band[], pytorch: readonly Band[]): string[] {
  return [
    `| ${title}, part | this trainer | PyTorch |`,
    '| --- | --- | --- |',
    ...here.map((band, window) => `| ${window + 1} | ${text(band)} | ${text(pytorch[window])} |`),
  ];
}

/** One row a figure. */
export interface FigureRow {
  readonly what: string;
  readonly here: readonly number[];
  readonly pytorch: readonly number[];
  /** Of the real faces. */
  readonly real: number;
}

export function figureLines(rows: readonly FigureRow[]): string[] {
  return [
    '| figure | this trainer | PyTorch | real faces |',
    '| --- | --- | --- | --- |',
    ...rows.map(
      ({ what, here, pytorch, real }) =>
        `| ${what} | ${text(bandOf(here))} | ${text(bandOf(pytorch))} | ${real.toFixed(3)} |`,
    ),
  ];
}

export function judgedLines(judged: readonly Judged[]): string[] {
  return [
    '| what | distance | spread of PyTorch | |',
    '| --- | --- | --- | --- |',
    ...judged.map(
      ({ what, distance, spread, passes }) =>
        `| ${what} | ${distance.toFixed(3)} | ${spread.toFixed(3)} | ${passes ? 'passes' : 'fails'} |`,
    ),
  ];
}

function text({ mean, least, most }: Band): string {
  return `${mean.toFixed(3)} (${least.toFixed(3)} to ${most.toFixed(3)})`;
}
