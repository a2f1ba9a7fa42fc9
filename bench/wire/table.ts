import type { Measured } from './measure.js';

/** The columns of numbers: how each is written. */
const COLUMNS: readonly [string, (run: Measured) => number, number, string][] = [
  ["discriminator's loss", ({ discriminatorLoss }) => discriminatorLoss, 3, ''],
  ["generator's loss", ({ generatorLoss }) => generatorLoss, 3, ''],
  ['share with a face', ({ faceShare }) => 100 * faceShare, 1, ' %'],
  ['Fréchet distance', ({ frechetDistance }) => frechetDistance, 4, ''],
];

/** Means over the seeds (least to most), as a table in Markdown: one row a format. */
export function tableLines(runs: readonly Measured[]): string[] {
  const wires = [...new Set(runs.map(({ wire }) => wire))];
  const header = ['`--wire`', 'MB a step', ...COLUMNS.map(([name]) => name)];
  const rows = wires.map((wire) => {
    const ofWire = runs.filter((run) => run.wire === wire);
    const columns = COLUMNS.map(([, value, digits, unit]) => spread(ofWire.map(value), digits, unit));
    return [`\`${wire}\``, ofWire[0].megabytes.toFixed(1), ...columns];
  });
  return [header, header.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`);
}

/** "41.2 % (39.0 to 43.5)" */
function spread(values: readonly number[], digits: number, unit: string): string {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const shown = (value: number): string => value.toFixed(digits);
  return `${shown(mean)}${unit} (${shown(Math.min(...values))} to ${shown(Math.max(...values))})`;
}
