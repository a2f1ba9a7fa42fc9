import { MEASURES, type Measure, type StepColumns } from './api.js';
import { figure } from './dom.js';
import uPlot from './uplot.js';

/** Rows of a fetch. At twice as many, the page fetches thinner curves. */
export const POINTS = 2_000;

const HEIGHT = 230;

interface CurveOf {
  readonly measure: Measure;
  readonly label: string;
  /** Dash of a curve if several runs are shown, each in its colour. */
  readonly dash?: number[];
}

export const LOSSES: readonly CurveOf[] = [
  { measure: 'discriminatorLoss', label: 'D loss' },
  { measure: 'generatorLoss', label: 'G loss', dash: [6, 4] },
];
export const SCORES: readonly CurveOf[] = [
  { measure: 'realScore', label: 'D(x)' },
  { measure: 'fakeScoreBefore', label: 'D(G(z))', dash: [6, 4] },
  { measure: 'fakeScoreAfter', label: 'D(G(z)) after D’s update', dash: [2, 3] },
];

/** A run's curves, which grow. */
export class Curves {
  steps: number[] = [];
  measures = Object.fromEntries(MEASURES.map((measure) => [measure, []])) as unknown as Record<
    Measure,
    (number | null)[]
  >;
  last = 0;

  replace({ steps, measures, last }: StepColumns): void {
    this.steps = [...steps];
    for (const measure of MEASURES)
      this.measures[measure] = [...((measures[measure] as (number | null)[] | undefined) ?? [])];
    this.last = last;
  }

  /** Returns false if there are so many rows that the curves must be fetched again. */
  append(records: readonly Readonly<Record<string, number | null>>[]): boolean {
    for (const record of records) {
      const step = record['step'] ?? 0;
      if (step <= this.last) continue;
      this.steps.push(step);
      for (const measure of MEASURES) this.measures[measure].push(record[measure] ?? null);
      this.last = step;
    }
    return this.steps.length <= 2 * POINTS;
  }
}

export interface NamedCurves {
  readonly name: string;
  /** 1 to 8 */
  readonly colour: number;
  readonly curves: Curves;
}

/** One chart of some measures, of one run or of several over each other. */
export class Chart {
  #plot: uPlot | undefined;
  #shape = '';
  #isDue = false;
  /** True if the user zoomed in: that range stays. */
  #isZoomed = false;
  #runs: readonly NamedCurves[] = [];

  constructor(
    private readonly place: HTMLElement,
    private readonly title: string,
    private readonly of: readonly CurveOf[],
  ) {
    new ResizeObserver(() => {
      this.#plot?.setSize({ width: place.clientWidth, height: HEIGHT });
    }).observe(place);
    place.addEventListener('dblclick', () => {
      this.#isZoomed = false;
      this.draw(this.#runs);
    });
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
      this.#shape = '';
      this.draw(this.#runs);
    });
  }

  /** At most once a frame. */
  draw(runs: readonly NamedCurves[]): void {
    this.#runs = runs;
    if (this.#isDue) return;
    this.#isDue = true;
    requestAnimationFrame(() => {
      this.#isDue = false;
      this.#drawNow();
    });
  }

  #drawNow(): void {
    const runs = this.#runs;
    const data = joined(runs, this.of);
    const shape = JSON.stringify(runs.map(({ name, colour }) => [name, colour]));
    const last = runs.map(({ name, curves }) => {
      const values = this.of.map(
        ({ measure, label }) => `${label} ${figure(curves.measures[measure].at(-1))}`,
      );
      return `${runs.length > 1 ? `${name}: ` : ''}step ${curves.last}, ${values.join(', ')}`;
    });
    this.place.setAttribute('role', 'img');
    this.place.setAttribute('aria-label', `${this.title} by step. ${last.join('; ')}`);
    if (this.#plot && shape === this.#shape) {
      this.#plot.setData(data, !this.#isZoomed);
      return;
    }
    this.#shape = shape;
    this.#isZoomed = false;
    this.#plot?.destroy();
    this.#plot = new uPlot(this.#options(runs), data, this.place);
  }

  #options(runs: readonly NamedCurves[]): uPlot.Options {
    const style = getComputedStyle(document.documentElement);
    const colour = (name: string): string => style.getPropertyValue(`--${name}`).trim();
    const axis = {
      stroke: colour('quiet'),
      grid: { stroke: colour('grid'), width: 1 },
      ticks: { stroke: colour('grid'), width: 1 },
      font: '12px system-ui, sans-serif',
    };
    const series = runs.flatMap((run) =>
      this.of.map(({ label, dash }, index): uPlot.Series => ({
        label: runs.length > 1 ? `${run.name} ${label}` : label,
        stroke: colour(`curve-${runs.length > 1 ? run.colour : index + 1}`),
        width: 1.25,
        spanGaps: true,
        points: { show: () => run.curves.steps.length < 3 },
        ...(dash && runs.length > 1 ? { dash } : {}),
        value: (_, value: number | null) => figure(value),
      })),
    );
    return {
      width: this.place.clientWidth,
      height: HEIGHT,
      scales: { x: { time: false } },
      axes: [{ ...axis }, { ...axis, size: 46 }],
      series: [{ label: 'Step', value: (_, value: number | null) => figure(value) }, ...series],
      cursor: { focus: { prox: 24 }, drag: { x: true, y: false } },
      legend: { live: true },
      hooks: {
        setSelect: [
          ({ select }) => {
            this.#isZoomed = select.width > 0;
          },
        ],
        draw: [
          ({ scales }) => {
            this.place.dataset['to'] = String(scales['x'].max);
          },
        ],
      },
    };
  }
}

/** One table over the steps of all runs. */
function joined(runs: readonly NamedCurves[], of: readonly CurveOf[]): uPlot.AlignedData {
  const tables = runs.map(
    ({ curves }) => [curves.steps, ...of.map(({ measure }) => curves.measures[measure])] as uPlot.AlignedData,
  );
  if (tables.length === 0) return [[]];
  return tables.length === 1 ? tables[0] : uPlot.join(tables);
}
