import { median, spread } from '../support/median.js';
import type { Rates } from './matmul-rates.js';
import { titleOf, type Device, type Row } from './rows.js';
import type { Measured } from './run-row.js';

export interface Result {
  readonly row: Row;
  /** One a round. */
  readonly rounds: readonly Measured[];
}

export interface Yardsticks {
  /** Of an image. */
  readonly flop: number;
  /** Of one device; undefined where no library could measure them. */
  readonly rates: Readonly<Partial<Record<Device, Rates>>>;
}

const HEADER = [
  ...['program', 'device', 'precision', 'processes x threads', 'images/s', 'to the fastest peer'],
  ...['of the matmul rate', 'first step, s', 'peak, MiB'],
];

/** In Markdown, one row a result. */
export function tableLines(results: readonly Result[], yardsticks: Yardsticks): string[] {
  const rows = [HEADER, ...results.map((result) => cells(result, results, yardsticks))];
  const widths = HEADER.map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const lines = rows.map(
    (row) => `| ${row.map((cell, column) => cell.padEnd(widths[column])).join(' | ')} |`,
  );
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`;
  return [lines[0], rule, ...lines.slice(1)];
}

function cells(result: Result, results: readonly Result[], { flop, rates }: Yardsticks): string[] {
  const { row, rounds } = result;
  const rate = rates[row.device]?.[row.precision];
  // The rate of the CPU is that of all its cores, that of a GPU is of one.
  const devices = row.device === 'gpu' ? row.processes : 1;
  const rival = Math.max(
    ...results.filter((other) => isPeer(other.row) && isLike(other.row, row)).map(speedOf),
  );
  return [
    titleOf(row),
    row.device,
    row.precision,
    `${row.processes} x ${row.threads}`,
    spread(rounds.map(({ imagesPerSecond }) => imagesPerSecond)),
    Number.isFinite(rival) ? (speedOf(result) / rival).toFixed(2) : '-',
    rate === undefined ? '-' : ((speedOf(result) * flop) / (rate * devices)).toFixed(2),
    median(rounds.map(({ firstStepSeconds }) => firstStepSeconds)).toFixed(1),
    Math.max(...rounds.map(({ peakMebibytes }) => peakMebibytes)).toFixed(0),
  ];
}

/** "here, workers, cpu, fp32: 0.97 of one process": what several processes keep of one that has the cores, or add to it. */
export function togetherLines(results: readonly Result[]): string[] {
  return results
    .filter(({ row }) => row.program === 'trainer' && row.processes > 1)
    .flatMap((together) => {
      const { device, precision } = together.row;
      const alone = results.find(
        ({ row }) => row.program === 'trainer' && row.name === 'recorded' && isSameKind(row, together.row),
      );
      if (!alone) return [];
      const ratio = (speedOf(together) / speedOf(alone)).toFixed(2);
      return [`${titleOf(together.row)}, ${device}, ${precision}: ${ratio} of ${titleOf(alone.row)}`];
    });
}

function isPeer({ program }: Row): boolean {
  return program !== 'trainer';
}

/** Whether two rows do the same with the same: one process beside one, several beside several. */
function isLike(one: Row, other: Row): boolean {
  return isSameKind(one, other) && one.processes === other.processes;
}

function isSameKind(one: Row, other: Row): boolean {
  return one.device === other.device && one.precision === other.precision;
}

function speedOf({ rounds }: Result): number {
  return median(rounds.map(({ imagesPerSecond }) => imagesPerSecond));
}
