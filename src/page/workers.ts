import type { WorkerView } from './api.js';
import { element, figure, made } from './dom.js';

/** The table of workers. */
export function showWorkers(workers: readonly WorkerView[]): void {
  const table = element<HTMLTableElement>('workers');
  table.hidden = workers.length === 0;
  element('no-workers').hidden = workers.length > 0;
  table.tBodies[0].replaceChildren(...workers.map(row));
}

function row(worker: WorkerView): HTMLTableRowElement {
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
    seconds('discriminator'),
    seconds('generator'),
  ];
  line.append(...figures.map((text) => made('td', text, { class: 'number' })));
  return line;
}
