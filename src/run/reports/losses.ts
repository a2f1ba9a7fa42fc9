import { writeFileAtomically } from '../../common/files/atomic-file.js';
import { encodeNumpy } from '../../formats/numpy.js';
import type { RunFolder } from '../run-directory.js';
import { readSteps, type Report } from '../step-log.js';

/** The loss curves of a run, one entry a step. NaN where a loss was not finite. */
export interface Losses {
  readonly steps: readonly number[];
  readonly generator: readonly number[];
  readonly discriminator: readonly number[];
}

/** Reads stats.jsonl as a stream: of a record, three numbers stay. */
export async function readLosses(run: RunFolder, report: Report): Promise<Losses> {
  const steps: number[] = [];
  const generator: number[] = [];
  const discriminator: number[] = [];
  for await (const record of readSteps(run.statsFile, report)) {
    steps.push(record.step);
    generator.push(record.generatorLoss);
    discriminator.push(record.discriminatorLoss);
  }
  return { steps, generator, discriminator };
}

/** Writes losses.csv, GL.npy and DL.npy. */
export async function writeLossFiles(run: RunFolder, losses: Losses): Promise<void> {
  await writeFileAtomically(run.lossTable, async (file) => {
    for (const lines of tableInParts(losses)) await file.writeFile(lines);
  });
  await writeFileAtomically(run.generatorLosses, encodeNumpy(new Float32Array(losses.generator)));
  await writeFileAtomically(run.discriminatorLosses, encodeNumpy(new Float32Array(losses.discriminator)));
}

/** Writing each line by itself would take longer than reading the log. */
const LINES_A_WRITE = 10_000;

function* tableInParts({ steps, generator, discriminator }: Losses): Generator<string> {
  yield 'step,generatorLoss,discriminatorLoss\n';
  for (let start = 0; start < steps.length; start += LINES_A_WRITE) {
    yield steps
      .slice(start, start + LINES_A_WRITE)
      .map((step, i) => `${step},${generator[start + i]},${discriminator[start + i]}\n`)
      .join('');
  }
}
