import { writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { messageOf } from '../../src/common/errors.js';
import { describeMachine } from '../step/machine.js';
import { runGloo } from './gloo.js';
import { runGroup, type Measured } from './group.js';
import { labelOf, rowsFor, type Row } from './rows.js';
import { summarise, tableLines, verdictLines, type Result } from './table.js';
import { vectorFloats } from './training.js';

/** Rounds of averaging beside gloo's, in alternation; see README.md. */

const { values } = parseArgs({
  options: {
    python: { type: 'string', default: 'python3' },
    rows: { type: 'string', default: '' },
    processes: { type: 'string', default: '2,4' },
    turns: { type: 'string', default: '5' },
    rounds: { type: 'string', default: '20' },
    out: { type: 'string' },
  },
});

const rounds = Number(values.rounds);
const floats = vectorFloats();
const results = new Map<Row, Measured[]>();
let rows = values.processes
  .split(',')
  .flatMap((processes) => rowsFor(Number(processes)))
  .filter((row) => new RegExp(values.rows).test(labelOf(row)));

console.log(`${describeMachine(0)}; load before: ${load()}`);
for (let turn = 1; turn <= Number(values.turns); turn++)
  for (const row of rows)
    try {
      const measured =
        row.program === 'gloo'
          ? await runGloo(values.python, row.processes, floats, rounds)
          : await runGroup(row, rounds);
      results.set(row, [...(results.get(row) ?? []), measured]);
    } catch (error) {
      console.log(`left out: ${labelOf(row)}: ${messageOf(error)}`);
      rows = rows.filter((other) => other !== row);
      results.delete(row);
    }
console.log(`load after: ${load()}`);

const summaries = summarise([...results].map(([row, turns]): Result => ({ row, turns })));
const megabytes = ((floats * 4) / 1e6).toFixed(1);
console.log(`${megabytes} MB a worker in fp32, ${values.turns} turns of ${rounds} rounds\n`);
const table = tableLines(summaries);
for (const line of [...table, '', ...verdictLines(summaries)]) console.log(line);
if (values.out !== undefined) {
  writeFileSync(`${values.out}.md`, `${table.join('\n')}\n`);
  writeFileSync(
    `${values.out}.json`,
    `${JSON.stringify({ machine: describeMachine(0), summaries }, null, 2)}\n`,
  );
}

function load(): string {
  return loadavg()
    .map((average) => average.toFixed(1))
    .join(' ');
}
