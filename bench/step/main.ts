import { loadavg } from 'node:os';
import { visibleGpus } from '../../src/engine/gpus.js';
import { describeMachine } from './machine.js';
import { parseOptions } from './options.js';
import { runRounds } from './rounds.js';
import { stepFlop } from './step-flop.js';
import { tableLines, togetherLines } from './table.js';

/** The training step beside PyTorch's and Keras's, in alternation; see README.md. */

const gpus = visibleGpus().length;
const options = parseOptions(process.argv.slice(2), gpus);
const { architecture, batch, steps } = options.work;
const flop = stepFlop(options.model);
const giga = (count: number): string => (count / 1e9).toLocaleString('en', { maximumFractionDigits: 2 });

console.log(`${describeMachine(gpus)}; load before: ${load()}`);
const { results, rates } = await runRounds(options);
console.log(`load after: ${load()}`);
console.log([...new Set(results.flatMap(({ rounds }) => rounds.map(({ version }) => version)))].join('; '));
for (const [device, { fp32, bf16 }] of Object.entries(rates))
  console.log(`matrix products on the ${device}: fp32 ${giga(fp32)}, bf16 ${giga(bf16)} GFLOP/s`);
console.log(
  `${architecture}, batch ${batch}, ${giga(flop)} GFLOP an image, ${steps} steps; images/s: median of ${options.rounds} rounds (least to most)\n`,
);
for (const line of tableLines(results, { flop, rates })) console.log(line);
console.log('');
for (const line of togetherLines(results)) console.log(line);

function load(): string {
  return loadavg()
    .map((average) => average.toFixed(1))
    .join(' ');
}
