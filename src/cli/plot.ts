import { print } from '../common/console.js';
import { say } from '../common/log.js';
import { writeFacesReport } from '../run/reports/faces-report.js';
import { LossReport } from '../run/reports/loss-report.js';
import { RunFolder } from '../run/run-directory.js';
import { shown } from '../common/display-path.js';

export interface PlotArguments {
  /** Smoothing of the curves in loss.png: 0 none, near 1 very smooth. */
  readonly smooth: number;
}

/** `coordinator plot RUN`: the loss files from the run's step log, and the pictures that are made of its samples. */
export async function plot(path: string, { smooth: smoothing }: PlotArguments): Promise<void> {
  const run = await RunFolder.open(path);
  const report = new LossReport(run, say, { smoothing });
  const steps = await report.write();
  await writeFacesReport(run);
  await print(`${shown(run.lossPicture)}: ${steps} steps\n`);
}
