import { readFile } from 'node:fs/promises';
import { writeFileAtomically } from '../../common/files/atomic-file.js';
import { codeOf } from '../../common/errors.js';
import { renderChart } from './chart-renderer.js';
import { faceChart, type PlacedPicture } from './face-chart.js';
import type { RunFolder } from '../run-directory.js';
import { writeSamplesAnimation } from './samples-animation.js';

/** samples.gif, samples.webp and real-vs-fake.png: made of the pictures that a run has left so far. */
export async function writeFacesReport(run: RunFolder, signal?: AbortSignal): Promise<void> {
  await writeSamplesAnimation(run);
  const newest = (await run.sampleSteps()).at(-1);
  const real = await placed(run.realsPicture);
  const fake = newest === undefined ? undefined : await placed(run.samplePicture(newest));
  if (real && fake)
    await writeFileAtomically(run.realsAndFakes, await renderChart(faceChart(real, fake), signal));
}

/** Undefined if there is none. */
async function placed(path: string): Promise<PlacedPicture | undefined> {
  try {
    const png = await readFile(path);
    const { default: sharp } = await import('sharp');
    const { width, height } = await sharp(png).metadata();
    return { png, width, height };
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}
