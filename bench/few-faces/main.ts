import type { Evaluation } from '../support/evaluated-run.js';
import { measure } from './measure.js';
import { parseOptions } from './options.js';
import { tableLines, type Cell } from './table.js';

/** What each option for few photographs does to `coordinator evaluate`; see README.md. */

const options = parseOptions(process.argv.slice(2));
const cells: Cell[] = [];
for (const count of options.counts)
  for (const setting of options.settings) {
    const evaluations: Evaluation[] = [];
    for (const seed of options.seeds) {
      const evaluation = await measure(options, setting, count, seed);
      const { faceShare, frechetDistance } = evaluation;
      console.error(`${setting.name}, ${count} faces, seed ${seed}: ${faceShare}, ${frechetDistance}`);
      evaluations.push(evaluation);
    }
    cells.push({ setting: setting.name, count, evaluations });
  }
console.log(
  `${options.steps} steps, ${options.samples} samples, mean over ${options.seeds.length} seeds (least to most)\n`,
);
for (const line of tableLines(cells)) console.log(line);
