import {
  MEASURES,
  type EvaluationList,
  type EvaluationView,
  type RunEvent,
  type RunInfo,
  type RunList,
  type StepColumns,
} from './api.js';
import { Chart, Curves, LOSSES, POINTS, SCORES, type NamedCurves } from './charts.js';
import { askJson, listen, type Message } from './connection.js';
import { element, figure, made } from './dom.js';
import { showEvaluations } from './evaluations.js';
import { showOptions } from './options.js';
import { Samples } from './samples.js';
import { armButtons, showStatus } from './status.js';
import { Timeline } from './timeline.js';
import { showWorkers } from './workers.js';

/** Colours there are for runs. */
const COLOURS = 8;

interface Shown extends NamedCurves {
  info: RunInfo;
  readonly events: RunEvent[];
  readonly samples: number[];
  evaluations: readonly EvaluationView[];
  /** Which of them are here. */
  evaluated: number;
  isChosen: boolean;
}

const losses = new Chart(element('losses'), 'Losses', LOSSES);
const scores = new Chart(element('scores'), 'D(x) and D(G(z))', SCORES);
const samples = new Samples();
const timeline = new Timeline();
let runs: Shown[] = [];
/** The run whose samples, workers, events and options are shown. */
let focus = 0;
let isConnected = false;

await start();

async function start(): Promise<void> {
  const list = await untilThere(() => askJson<RunList>('/api/runs'));
  runs = list.runs.map((info, run) => ({
    ...{ info, name: info.name, colour: (run % COLOURS) + 1, curves: new Curves() },
    ...{ events: [], samples: [], evaluations: [], evaluated: 0, isChosen: true },
  }));
  // Of many runs, the newest is what most people look for first.
  focus = runs.length - 1;
  element('content').hidden = false;
  if (list.control) armButtons(() => runs[focus].info.state);
  if (runs.length > 1) showRunList();
  await Promise.all(runs.map((_, run) => fetchCurves(run)));
  runs.forEach((_, run) => void fetchEvaluations(run));
  look();
  await listen({
    from: runs.map(({ curves }) => `${curves.last}:0:-1`).join(','),
    take,
    onState: (now) => {
      isConnected = now;
      showStatus(runs[focus].info, isConnected);
    },
  });
}

function take(message: Message): void {
  switch (message.kind) {
    case 'run': {
      const { run, snapshot } = message.data;
      const isOther = runs[run].info.name !== snapshot.name || runs[run].info.state !== snapshot.state;
      runs[run].info = { ...runs[run].info, ...snapshot };
      if (run === focus) showProgress(runs[run].info);
      void fetchEvaluations(run);
      // A run that had no directory yet has its options settled now.
      if (isOther) void fetchInfo(run);
      break;
    }
    case 'steps': {
      const { run, steps } = message.data;
      if (!runs[run].curves.append(steps)) void fetchCurves(run);
      drawCurves();
      break;
    }
    case 'reset':
      void fetchCurves(message.data.run);
      break;
    case 'samples': {
      const { run, steps } = message.data;
      runs[run].samples.push(...steps);
      samples.add(run, steps);
      break;
    }
    case 'events': {
      const { run, events } = message.data;
      runs[run].events.push(...events);
      if (run === focus) timeline.add(events);
      break;
    }
    case 'end':
      break;
  }
}

/** Shows the run in focus. */
function look(): void {
  const { info, events, samples: steps, evaluations } = runs[focus];
  showProgress(info);
  showOptions(info);
  showEvaluations(evaluations);
  timeline.clear();
  timeline.add(events);
  samples.choose(focus);
  samples.add(focus, steps);
  drawCurves();
}

function showProgress(info: RunInfo): void {
  showStatus(info, isConnected);
  showWorkers(info);
}

function drawCurves(): void {
  const chosen = runs.filter(({ isChosen }) => isChosen);
  losses.draw(chosen);
  scores.draw(chosen);
  showValues(chosen);
}

async function fetchCurves(run: number): Promise<void> {
  const columns = await untilThere(() => askJson<StepColumns>(`/api/steps?run=${run}&points=${POINTS}`));
  // What came by the stream meanwhile is newer.
  if (columns.last < runs[run].curves.last && columns.last > 0 && runs[run].curves.steps.length <= 2 * POINTS)
    return;
  runs[run].curves.replace(columns);
  drawCurves();
}

async function fetchInfo(run: number): Promise<void> {
  runs[run].info = await untilThere(() => askJson<RunInfo>(`/api/run?run=${run}`));
  if (run === focus) {
    showProgress(runs[run].info);
    showOptions(runs[run].info);
  }
}

/** Called if the evaluations changed. */
async function fetchEvaluations(run: number): Promise<void> {
  const shown = runs[run];
  const { evaluations: wanted } = shown.info;
  if (wanted === shown.evaluated) return;
  shown.evaluated = wanted;
  const list = await untilThere(() => askJson<EvaluationList>(`/api/evaluations?run=${run}`));
  shown.evaluations = list.evaluations;
  if (run === focus) showEvaluations(shown.evaluations);
}

/** The curves' last values: what the charts say, as text. */
function showValues(chosen: readonly Shown[]): void {
  const table = element<HTMLTableElement>('values');
  const head = made('tr');
  const names = ['Run', 'Step', 'D loss', 'G loss', 'D(x)', 'D(G(z))', 'after D’s update', 'Images/s'];
  head.append(
    ...names.map((name, index) => made('th', name, { scope: 'col', class: index > 0 ? 'number' : '' })),
  );
  table.tHead?.replaceChildren(head);
  table.tBodies[0].replaceChildren(
    ...chosen.map(({ name, curves }) => {
      const line = made('tr');
      const values = MEASURES.map((measure) => figure(curves.measures[measure].at(-1)));
      line.append(made('th', name, { scope: 'row' }));
      line.append(...[figure(curves.last), ...values].map((value) => made('td', value, { class: 'number' })));
      return line;
    }),
  );
}

/** Which runs' curves are drawn, and which run the rest of the page is about. */
function showRunList(): void {
  element('runs').hidden = false;
  element('run-list').replaceChildren(
    ...runs.map((run, index) => {
      const curve = made('label');
      const box = made('input', '', { type: 'checkbox' });
      box.checked = run.isChosen;
      box.addEventListener('change', () => {
        run.isChosen = box.checked;
        drawCurves();
      });
      const swatch = made('span', '', { class: 'swatch', 'aria-hidden': 'true' });
      swatch.style.background = `var(--curve-${run.colour})`;
      curve.append(box, swatch, run.name);
      const details = made('label');
      const radio = made('input', '', {
        type: 'radio',
        name: 'focus',
        'aria-label': `Details of ${run.name}`,
      });
      radio.checked = index === focus;
      radio.addEventListener('change', () => {
        focus = index;
        look();
      });
      details.append(radio, 'details');
      const line = made('li');
      line.append(curve, details);
      return line;
    }),
  );
}

/** Retries until there is an answer. */
async function untilThere<Result>(work: () => Promise<Result>): Promise<Result> {
  for (;;) {
    try {
      return await work();
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 1_000));
    }
  }
}
