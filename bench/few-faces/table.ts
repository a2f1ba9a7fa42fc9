import type { Evaluation } from '../support/evaluated-run.js';

/** A setting on a number of faces, seed by seed. */
export interface Cell {
  readonly setting: string;
  readonly count: number;
  readonly evaluations: readonly Evaluation[];
}

/** Means over the seeds (least to most), as a table in Markdown: one row a setting, two columns a number of faces. */
export function tableLines(cells: readonly Cell[]): string[] {
  const counts = [...new Set(cells.map(({ count }) => count))];
  const settings = [...new Set(cells.map(({ setting }) => setting))];
  const heads = counts.flatMap((count) => {
    const faces = `${count.toLocaleString('en')} faces`;
    return [`${faces}: share with a face`, `Fréchet distance`];
  });
  const rows = settings.map((setting) => {
    const columns = counts.flatMap((count) => {
      const cell = cells.find((each) => each.setting === setting && each.count === count);
      const evaluations = cell?.evaluations ?? [];
      return [
        spread(
          evaluations.map(({ faceShare }) => 100 * faceShare),
          1,
          ' %',
        ),
        spread(
          evaluations.map(({ frechetDistance }) => frechetDistance),
          4,
        ),
      ];
    });
    return [`\`${optionsOf(setting)}\``, ...columns];
  });
  return [['', ...heads], ['', ...heads].map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`);
}

/** "41.2 % (39.0 to 43.5)"; a dash where nothing was measured. */
function spread(values: readonly number[], digits: number, unit = ''): string {
  if (values.length === 0) return '-';
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const shown = (value: number): string => value.toFixed(digits);
  return `${shown(mean)}${unit} (${shown(Math.min(...values))} to ${shown(Math.max(...values))})`;
}

/** "ema mirror" -> "--ema --mirror" */
function optionsOf(setting: string): string {
  if (setting === 'none') return setting;
  return setting
    .split(' ')
    .map((name) => `--${name}`)
    .join(' ');
}
