import type { TopLevelSpec } from 'vega-lite';
import type { Measured } from './measure.js';

const COLOURS = { fp32: '#1f77b4', bf16: '#d62728' } as const;

/** What a run is measured by, beside each other. */
const PANELS = [
  { field: 'generatorLoss', title: "generator's loss", zero: false },
  { field: 'faces', title: 'share with a face, %', zero: true },
  { field: 'frechetDistance', title: 'Fréchet distance', zero: false },
] as const;

/** Each run as a point: what came out of it against its megabytes a step. */
export function wireChart(runs: readonly Measured[], title: string): TopLevelSpec {
  return {
    $schema: 'https://vega.github.io/schema/vega-lite/v5.json',
    background: 'white',
    padding: 10,
    title: { text: title, anchor: 'middle', fontWeight: 'normal', fontSize: 16 },
    data: { values: runs.map((run) => ({ ...run, faces: 100 * run.faceShare })) },
    hconcat: PANELS.map(({ field, title: panel, zero }) => ({
      ...{ width: 240, height: 220 },
      mark: { type: 'point' as const, filled: true, size: 70, opacity: 0.8 },
      encoding: {
        x: { field: 'megabytes', type: 'quantitative' as const, title: 'MB a step', scale: { zero: true } },
        y: { field, type: 'quantitative' as const, title: panel, scale: { zero } },
        color: {
          ...{ field: 'wire', type: 'nominal' as const, legend: { title: null, labelFontSize: 13 } },
          scale: { domain: Object.keys(COLOURS), range: Object.values(COLOURS) },
        },
      },
    })),
    config: {
      font: 'DejaVu Sans, sans-serif',
      axis: { labelFontSize: 11, titleFontSize: 12, titleFontWeight: 'normal', gridColor: '#eeeeee' },
    },
  };
}
