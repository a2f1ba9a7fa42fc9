import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { cacheFolder } from '../../src/common/files/cache-folder.js';
import { renderChart } from '../../src/run/reports/chart-renderer.js';
import { DEFAULT_FACES, drawFaces, prepareFaces } from '../../src/data/index.js';
import { curvesChart } from './chart.js';
import { bandsOf, MEASURES, type Measure } from './curves.js';
import { figuresOf, type Figures } from './figures.js';
import { readLosses, type Losses } from './losses.js';
import { parseOptions, WINDOWS } from './options.js';
import { folderOf, PROGRAMS, runOf, type ProgramName } from './programs.js';
import { requireSameSettings } from './settings.js';
import { curveLines, figureLines, judgedLines, type FigureRow } from './table.js';
import { judgeCurve, judgeFigure, RULE, verdictLine, type Judged } from './verdict.js';

/** What this trainer learns beside what PyTorch's tutorial learns from the same images; see README.md. */

const TITLES: Readonly<Record<Measure, string>> = {
  discriminatorLoss: 'loss of D',
  generatorLoss: 'loss of G',
};

const options = parseOptions(process.argv.slice(2));
const { work, data, out } = options;
const seeds = Array.from({ length: options.seeds }, (_, seed) => seed);
if (options.isDrawn) await drawFaces({ folder: data, ...DEFAULT_FACES });
const prepared = await prepareFaces({
  ...{ root: data, size: work.imageSize, cache: cacheFolder(), maxBrokenShare: 0 },
});
requireSameSettings(options, prepared.fingerprint);
console.log(`${cpus()[0].model.trim()}, ${work.threads} threads; ${prepared.count} images; ${out}`);

for (const seed of seeds)
  for (const program of PROGRAMS) {
    const seconds = await runOf(program, seed, { folder: data, pack: prepared.path }, options);
    const took = seconds === undefined ? 'is there already' : `${seconds.toFixed(0)} s`;
    console.log(`${program}, seed ${seed}: ${work.steps} steps and ${work.samples} faces: ${took}`);
  }

const losses = ofEach((program, seed): Losses =>
  readLosses(join(folderOf(options, program, seed), 'losses.jsonl')),
);
const judged: Judged[] = [];
const tables: string[][] = [];
for (const measure of MEASURES) {
  const [here, pytorch] = PROGRAMS.map((program) => bandsOf(losses[program], measure, WINDOWS));
  judged.push(judgeCurve(TITLES[measure], here, pytorch));
  tables.push(curveLines(TITLES[measure], here, pytorch));
}

let rows: FigureRow[] = [];
if (options.evaluates) {
  const figures: Record<ProgramName, Figures[]> = { here: [], pytorch: [] };
  for (const seed of seeds)
    for (const program of PROGRAMS)
      figures[program].push(await figuresOf(folderOf(options, program, seed), options));
  const row = (what: string, name: keyof Figures, real: keyof Figures): FigureRow => ({
    what,
    here: figures.here.map((each) => each[name]),
    pytorch: figures.pytorch.map((each) => each[name]),
    real: figures.here[0][real],
  });
  const share = row('share with a face', 'faceShare', 'realFaceShare');
  const frechet = row('Fréchet distance', 'frechetDistance', 'realFrechetDistance');
  judged.push(judgeFigure(share.what, share.here, share.pytorch, 'higher'));
  judged.push(judgeFigure(frechet.what, frechet.here, frechet.pytorch, 'lower'));
  rows = [share, frechet, row('nearest real face (not judged)', 'nearestDistance', 'realNearestDistance')];
  tables.push(figureLines(rows));
}
tables.push(judgedLines(judged));

for (const lines of tables) console.log(`\n${lines.join('\n')}`);
console.log(`\n${RULE}\n${verdictLine(judged)}`);
writeFileSync(
  join(out, 'fidelity.json'),
  `${JSON.stringify({ work, seeds, figures: rows, judged }, undefined, 2)}\n`,
);
writeFileSync(join(out, 'fidelity.png'), await renderChart(curvesChart(losses)));
if (judged.some(({ passes }) => !passes)) process.exitCode = 1;

function ofEach<T>(read: (program: ProgramName, seed: number) => T): Record<ProgramName, T[]> {
  const [here, pytorch] = PROGRAMS.map((program) => seeds.map((seed) => read(program, seed)));
  return { here, pytorch };
}
