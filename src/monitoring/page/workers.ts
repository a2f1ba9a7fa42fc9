import type { RunInfo, WorkerView } from './api.js';
import { element, figure, made } from './dom.js';

/** Parts of a step, and the heading of their time column. */
type Phases = readonly (readonly [phase: string, heading: string])[];
const PHASES: Phases = [
  ['discriminator', 'D phase'],
  ['generator', 'G phase'],
];
/** Shards that train on their own tell no phase from the other. */
const LOCAL: Phases = [['local', 'Local step']];

/** The table of workers. */
export function showWorkers({ workers, options }: RunInfo): void {
  const table = element<HTMLTableElement>('workers');
  table.hidden = workers.length === 0;
  element('no-workers').hidden = workers.length > 0;
  const phases = 'localSteps' in options ? LOCAL : PHASES;
  table.tHead?.replaceChildren(head(phases));
  table.tBodies[0].replaceChildren(...workers.map((worker) => row(worker, phases)));
}

function head(phases: Phases): HTMLTableRowElement {
  const line = made('tr');
  const figures = ['Shards', 'Images/s', ...phases.map(([, heading]) => heading)];
  line.append(...['Worker', 'State', 'Device'].map((name) => made('th', name, { scope: 'col' })));
  line.append(...figures.map((name) => made('th', name, { scope: 'col', class: 'number' })));
  return line;
}

function row(worker: WorkerView, phases: Phases): HTMLTableRowElement {
  const { number, state, device, host, pid, shards, imagesPerSecond, phaseSeconds } = worker;
  const line = made('tr');
  line.append(made('th', String(number), { scope: 'row', title: `pid ${pid} on ${host}` }));
  line.append(made('td', state, { class: state }), made('td', [device, host].filter(Boolean).join(', ')));
  const seconds = (phase: string): string => {
    const value = phaseSeconds[phase] as number | undefined;
    return value === undefined ? '–' : `${figure(value * 1000, 3)} ms`;
  };
  const figures = [
    String(shards),
    imagesPerSecond > 0 ? figure(imagesPerSecond, 3) : '–',
    ...phases.map(([phase]) => seconds(phase)),
  ];
  line.append(...figures.map((text) => made('td', text, { class: 'number' })));
  return line;
}
