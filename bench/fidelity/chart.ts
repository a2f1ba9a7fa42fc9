import type { TopLevelSpec } from 'vega-lite';
import { bandsOf, MEASURES, windowEnds, type Measure } from './curves.js';
import type { Losses } from './losses.js';
import { PROGRAMS, type ProgramName } from './programs.js';

/** Windows of the picture: fine enough to see the curve's shape. */
const POINTS = 62;

const TITLES: Readonly<Record<Measure, string>> = {
  discriminatorLoss: "the discriminator's loss",
  generatorLoss: "the generator's loss",
};
const NAMES: Readonly<Record<ProgramName, string>> = { here: 'this trainer', pytorch: 'PyTorch' };
const COLOURS = ['#1f77b4', '#ff7f0e'];

/** Both losses of both programs: the mean of their runs, and from the lowest to the highest of them. */
export function curvesChart(runs: Readonly<Record<ProgramName, readonly Losses[]>>): TopLevelSpec {
  const steps = runs.here[0].length;
  const ends = windowEnds(steps, Math.min(POINTS, steps));
  const panel = (measure: Measure) => ({
    width: 720,
    height: 240,
    data: {
      values: PROGRAMS.flatMap((program) =>
        bandsOf(runs[program], measure, ends.length).map((band, window) => ({
          ...band,
          program: NAMES[program],
          step: (ends[window][0] + 1 + ends[window][1]) / 2,
        })),
      ),
    },
    encoding: {
      x: { field: 'step', type: 'quantitative' as const, title: 'step', axis: { format: 'd' } },
      color: {
        field: 'program',
        type: 'nominal' as const,
        scale: { domain: PROGRAMS.map((program) => NAMES[program]), range: COLOURS },
        legend: { title: null, orient: 'top-right' as const },
      },
    },
    layer: [
      {
        mark: { type: 'area' as const, opacity: 0.2 },
        encoding: {
          y: { field: 'least', type: 'quantitative' as const, title: TITLES[measure] },
          y2: { field: 'most' },
        },
      },
      {
        mark: { type: 'line' as const, strokeWidth: 1.5 },
        encoding: { y: { field: 'mean', type: 'quantitative' as const } },
      },
    ],
  });
  return {
    $schema: 'https://vega.github.io/schema/vega-lite/v5.json',
    background: 'white',
    padding: 10,
    vconcat: MEASURES.map(panel),
    config: { font: 'DejaVu Sans, sans-serif', axis: { gridColor: '#eeeeee' } },
  };
}
