import type { TopLevelSpec } from 'vega-lite';
import { WIRE_FORMATS } from '../../src/averaging/wire-format.js';
import type { Scenario } from './scenarios.js';

const COLORS = { star: '#1f77b4', ring: '#d62728', tree: '#2ca02c' };

/** Efficiency by the number of workers: a column for each link, a row for each format on the wire. */
export function scalingChart(scenarios: readonly Scenario[], title: string): TopLevelSpec {
  return {
    $schema: 'https://vega.github.io/schema/vega-lite/v5.json',
    background: 'white',
    padding: 10,
    title: { text: title, anchor: 'middle', fontWeight: 'normal', fontSize: 16 },
    data: {
      values: scenarios.map(({ efficiency, ...rest }) => ({
        ...rest,
        percent: 100 * efficiency,
        link: `${rest.gigabits} Gbit/s`,
        format: `--wire ${rest.wire}`,
      })),
    },
    facet: {
      column: {
        ...{ field: 'link', type: 'nominal', title: null, sort: { field: 'gigabits' } },
        header: { labelFontSize: 14 },
      },
      row: {
        ...{
          field: 'format',
          type: 'nominal',
          title: null,
          sort: WIRE_FORMATS.map((wire) => `--wire ${wire}`),
        },
        header: { labelFontSize: 14 },
      },
    },
    spec: {
      ...{ width: 220, height: 160 },
      mark: { type: 'line', strokeWidth: 2, point: { size: 18 } },
      encoding: {
        x: {
          ...{ field: 'workers', type: 'quantitative', scale: { type: 'log', base: 2, domain: [1, 1024] } },
          axis: { values: [1, 4, 16, 64, 256, 1024], format: 'd', title: 'workers' },
        },
        y: {
          ...{ field: 'percent', type: 'quantitative', scale: { domain: [0, 100] } },
          axis: { title: 'computing, % of a step', values: [0, 25, 50, 75, 100] },
        },
        color: {
          ...{ field: 'way', type: 'nominal', legend: { title: null, labelFontSize: 14 } },
          scale: { domain: Object.keys(COLORS), range: Object.values(COLORS) },
        },
      },
    },
    config: {
      font: 'DejaVu Sans, sans-serif',
      axis: { labelFontSize: 11, titleFontSize: 12, titleFontWeight: 'normal' },
    },
  };
}
