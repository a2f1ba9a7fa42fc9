import type { TopLevelSpec } from 'vega-lite';
import { decimate } from './decimate.js';
import { DOTS_PER_INCH, points } from './figure.js';
import type { Losses } from './losses.js';
import { smooth } from './smooth.js';

/** More than two points a pixel column of the plot cannot be seen. */
const POINTS_A_SERIES = 2_000;

/** matplotlib's figsize=(10, 5), and where it places the axes in it. */
const FIGURE = { width: 10 * DOTS_PER_INCH, height: 5 * DOTS_PER_INCH };
const MARGIN = {
  left: 0.125 * FIGURE.width,
  right: 0.1 * FIGURE.width,
  top: 0.12 * FIGURE.height,
  bottom: 0.11 * FIGURE.height,
};

/** Opacity of the raw losses behind their smoothed curves. */
const FAINT = 0.25;

/** The tutorial's plot as matplotlib draws it; with a weight for `smooth` its curves, and the losses behind them. */
export function lossChart(losses: Losses, smoothing = 0): TopLevelSpec {
  const series = [
    { network: 'G', color: '#1f77b4', values: losses.generator },
    { network: 'D', color: '#ff7f0e', values: losses.discriminator },
  ];
  const rowsOf = (network: string, values: readonly number[]) =>
    decimate(values, POINTS_A_SERIES).map(({ index, value }) => ({
      step: losses.steps[index],
      loss: value,
      network,
    }));
  const rows = series.flatMap(({ network, values }) => rowsOf(network, values));
  const mark = { type: 'line', strokeWidth: points(1.5), strokeJoin: 'round', clip: true } as const;
  const smoothed = series.flatMap(({ network, values }) => rowsOf(network, smooth(values, smoothing)));
  return {
    $schema: 'https://vega.github.io/schema/vega-lite/v5.json',
    background: 'white',
    autosize: 'none',
    width: FIGURE.width - MARGIN.left - MARGIN.right,
    height: FIGURE.height - MARGIN.top - MARGIN.bottom,
    padding: MARGIN,
    title: 'Generator and Discriminator Loss During Training',
    ...(smoothing === 0
      ? { data: { values: rows }, mark }
      : {
          layer: [
            { data: { values: rows }, mark: { ...mark, opacity: FAINT } },
            { data: { values: smoothed }, mark },
          ],
        }),
    encoding: {
      x: {
        field: 'step',
        type: 'quantitative',
        title: 'iterations',
        scale: { domain: padded(rows.map(({ step }) => step)), nice: false, zero: false },
        axis: { format: 'd', tickMinStep: 1, tickCount: 7 },
      },
      y: {
        field: 'loss',
        type: 'quantitative',
        title: 'Loss',
        scale: { domain: padded(rows.map(({ loss }) => loss)), nice: false, zero: false },
        axis: { tickCount: 8 },
      },
      color: {
        field: 'network',
        type: 'nominal',
        scale: { domain: series.map(({ network }) => network), range: series.map(({ color }) => color) },
        legend: { title: null, orient: 'top-right', offset: 8 },
      },
    },
    config: {
      font: 'DejaVu Sans, sans-serif',
      title: { fontSize: points(12), fontWeight: 'normal', offset: points(6) },
      view: { stroke: 'black', strokeWidth: points(0.8) },
      axis: {
        grid: false,
        domain: false, // the view's frame is drawn there
        tickColor: 'black',
        tickSize: points(3.5),
        tickWidth: points(0.8),
        labelFontSize: points(10),
        labelPadding: points(3.5),
        titleFontSize: points(10),
        titleFontWeight: 'normal',
        titlePadding: points(4),
      },
      legend: {
        fillColor: 'white',
        strokeColor: '#cccccc',
        cornerRadius: points(2),
        padding: points(4),
        labelFontSize: points(10),
        labelOffset: points(6),
        symbolType: 'stroke',
        symbolSize: 900,
        symbolStrokeWidth: points(1.5),
      },
    },
  };
}

/** From the lowest to the highest with a twentieth of their distance on both sides, as matplotlib's margins. */
function padded(values: readonly number[]): [number, number] {
  const low = values.reduce((a, b) => Math.min(a, b), Infinity);
  const high = values.reduce((a, b) => Math.max(a, b), -Infinity);
  const margin = high > low ? (high - low) / 20 : 0.5;
  return [low - margin, high + margin];
}
