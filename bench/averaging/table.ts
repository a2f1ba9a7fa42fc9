import { median } from '../support/median.js';
import type { Measured } from './group.js';
import { labelOf, type Row } from './rows.js';

export interface Result {
  readonly row: Row;
  /** One a turn. */
  readonly turns: readonly Measured[];
}

/** A result as numbers: milliseconds of a round, and the ratio to gloo's of the same turn. */
export interface Summary {
  readonly row: Row;
  readonly median: number;
  readonly least: number;
  readonly most: number;
  /** The median over the turns; undefined where there was no gloo. */
  readonly toGloo: number | undefined;
  readonly cpuMilliseconds: number;
  readonly coordinatorPeak: number | undefined;
}

export function summarise(results: readonly Result[]): Summary[] {
  return results.map(({ row, turns }) => {
    const all = turns.flatMap(({ milliseconds }) => milliseconds);
    const gloo = results.find(
      (other) => other.row.program === 'gloo' && other.row.processes === row.processes,
    );
    const ratios = turns.flatMap(({ milliseconds }, turn) => {
      const beside = gloo?.turns[turn];
      return beside ? [median(milliseconds) / median(beside.milliseconds)] : [];
    });
    const peaks = turns.flatMap(({ coordinatorPeak }) => coordinatorPeak ?? []);
    return {
      ...{ row, median: median(all), least: Math.min(...all), most: Math.max(...all) },
      cpuMilliseconds: median(turns.map((turn) => turn.cpuMilliseconds)),
      toGloo: ratios.length > 0 ? median(ratios) : undefined,
      coordinatorPeak: peaks.length > 0 ? Math.max(...peaks) : undefined,
    };
  });
}

const HEADER = [
  'processes',
  'way',
  'over',
  'wire',
  'a round, ms: median (least to most)',
  'to gloo',
  'processors, ms',
  'coordinator, MiB',
];
const NAMES = { memory: 'shared memory', ipc: 'ipc', tcp: 'tcp', curve: 'tcp, CURVE' } as const;

/** In Markdown, one row a result. */
export function tableLines(summaries: readonly Summary[]): string[] {
  const rows = [
    HEADER,
    ...summaries.map(({ row, median: middle, least, most, toGloo, cpuMilliseconds, coordinatorPeak }) => [
      ...[String(row.processes), row.way ?? row.program, NAMES[row.transport], row.wire],
      `${middle.toFixed(1)} (${least.toFixed(1)} to ${most.toFixed(1)})`,
      ...[toGloo?.toFixed(2) ?? '', cpuMilliseconds.toFixed(1), coordinatorPeak?.toFixed(0) ?? ''],
    ]),
  ];
  const widths = HEADER.map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const lines = rows.map(
    (row) => `| ${row.map((cell, column) => cell.padEnd(widths[column])).join(' | ')} |`,
  );
  return [lines[0], `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`, ...lines.slice(1)];
}

/** What the best way takes of gloo's time, and what the star does. */
export function verdictLines(summaries: readonly Summary[]): string[] {
  return [...new Set(summaries.map(({ row }) => row.processes))].flatMap((processes) => {
    const own = summaries.filter(
      ({ row, toGloo }) => row.processes === processes && row.program === 'here' && toGloo !== undefined,
    );
    const best = least(own);
    const star = least(own.filter(({ row }) => row.way === 'star'));
    return [best, star].flatMap((one, index) =>
      one
        ? [
            `${processes} workers, ${index === 0 ? 'best' : 'star'}: ${labelOf(one.row)}: a round takes ${ratio(one)} gloo's`,
          ]
        : [],
    );
  });
}

function least(summaries: readonly Summary[]): Summary | undefined {
  return [...summaries].sort((one, other) => Number(one.toGloo) - Number(other.toGloo)).at(0);
}

function ratio({ toGloo = NaN }: Summary): string {
  return `${toGloo.toFixed(2)} times`;
}
