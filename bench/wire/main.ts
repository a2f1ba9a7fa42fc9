import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { renderChart } from '../../src/run/reports/chart-renderer.js';
import { wireChart } from './chart.js';
import { measure, type Measured } from './measure.js';
import { parseOptions } from './options.js';
import { tableLines } from './table.js';

/** What `--wire` does to losses, faces and bytes; see README.md. */

const options = parseOptions(process.argv.slice(2));
const { folder, wires, seeds, steps, faces, batchSize, samples } = options;
const runs: Measured[] = [];
// Seed by seed: where it is cut off, all formats have as many.
for (const seed of seeds)
  for (const wire of wires) {
    const run = await measure(options, wire, seed);
    console.error(`${wire}, seed ${seed}: ${run.faceShare}, ${run.frechetDistance}`);
    runs.push(run);
  }
runs.sort((one, other) => wires.indexOf(one.wire) - wires.indexOf(other.wire));
const title = `${steps} steps of ${batchSize} images, ${faces} faces, ${samples} samples, ${seeds.length} seeds`;
const lines = tableLines(runs);
console.log(`${title}: mean (least to most)\n`);
for (const line of lines) console.log(line);
writeFileSync(join(folder, 'wire.md'), `${title}: mean (least to most)\n\n${lines.join('\n')}\n`);
writeFileSync(options.picture ?? join(folder, 'wire.png'), await renderChart(wireChart(runs, title)));
