import { parseArgs } from 'node:util';
import { DecodeFuzz } from '../../test/support/wire/fuzz.js';
import { memoryInUse } from '../../test/support/wire/memory.js';

/** What decode() does with inputs of every sort; see README.md. */

const { values } = parseArgs({
  options: { count: { type: 'string', default: '1000000' }, seed: { type: 'string', default: '0' } },
});
const count = Number(values.count);
const fuzz = new DecodeFuzz(Number(values.seed));

// The first inputs compile the code, and take what memory it needs.
const first = Math.ceil(count / 20);
const memory: string[] = [];
let seconds = 0;
for (const end of [first, count / 2, count]) {
  const begin = performance.now();
  fuzz.run(Math.floor(end) - fuzz.counts.inputs);
  seconds += (performance.now() - begin) / 1000;
  const { heap, resident } = memoryInUse();
  memory.push(`${heap.toFixed(1)} / ${resident.toFixed(0)}`);
}

const { inputs, accepted, rejected, slowest } = fuzz.counts;
const taken = [...accepted.values()].reduce((sum, each) => sum + each, 0);
console.log(`${inputs} inputs of seed ${values.seed}, ${(inputs / seconds).toFixed(0)} a second`);
console.log(`accepted ${taken}, of ${accepted.size} kinds`);
for (const [reason, times] of rejected) console.log(`rejected ${times}, ${reason}`);
console.log(`slowest ${slowest.toFixed(1)} ms`);
console.log(`MiB of heap / of the process at the start, in the middle, at the end: ${memory.join(', ')}`);
