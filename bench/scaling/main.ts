import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { renderChart } from '../../src/run/reports/chart-renderer.js';
import { describeMachine } from '../step/machine.js';
import { scalingChart } from './chart.js';
import { localStepLines } from './local-steps.js';
import { measureCosts } from './measured-costs.js';
import { floatsOf, realRunLines, realRuns, SIZES } from './real-runs.js';
import { scenarioLines, scenarios } from './scenarios.js';

/** Runs of 1, 2 and 4 workers beside what the simulator says of them, and what it says of up to 1,024; see README.md. */

const { values } = parseArgs({
  options: {
    steps: { type: 'string', default: '20' },
    compute: { type: 'string', default: '0.1' },
    'no-runs': { type: 'boolean', default: false },
    out: { type: 'string' },
    picture: { type: 'string' },
  },
});

console.log(`${describeMachine(0)}; load before: ${loadavg()[0].toFixed(1)}`);
const here = await measureCosts('ipc');
const encrypted = await measureCosts('curve');
console.log(`costs, ns a byte: ipc ${shown(here)}; tcp with CURVE ${shown(encrypted)}\n`);

const lines: string[] = [];
if (!values['no-runs']) {
  const folder = mkdtempSync(join(tmpdir(), 'bench-scaling-'));
  try {
    lines.push(...realRunLines(await realRuns(folder, Number(values.steps), here)), '');
  } finally {
    rmSync(folder, { recursive: true });
  }
}
const compute = Number(values.compute);
const [{ model, name }] = SIZES;
const all = scenarios(encrypted, floatsOf(model), compute);
lines.push(...scenarioLines(all), '', ...localStepLines(encrypted, model, compute));
for (const line of lines) console.log(line);
if (values.out !== undefined) {
  writeFileSync(`${values.out}.md`, `${lines.join('\n')}\n`);
  writeFileSync(
    `${values.out}.json`,
    `${JSON.stringify({ costs: { here, encrypted }, compute, all }, null, 2)}\n`,
  );
}
if (values.picture !== undefined) {
  const title = `${name}, one worker a machine, ${1000 * compute} ms of computing a step`;
  writeFileSync(values.picture, await renderChart(scalingChart(all, title)));
}

function shown(costs: object): string {
  return Object.entries(costs)
    .filter(([cost]) => cost !== 'perMessage')
    .map(([cost, seconds]) => `${cost} ${(1e9 * Number(seconds)).toFixed(2)}`)
    .join(', ');
}
