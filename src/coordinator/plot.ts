import { LossReport } from './run/loss-report.js';
import { RunFolder } from './run/run-folder.js';
import { say } from '../common/log.js';
import { shown } from './shown.js';

/** `coordinator plot RUN`: the loss files from the run's step log. */
export async function plot(path: string): Promise<void> {
  const run = await RunFolder.open(path);
  const report = new LossReport(run, say);
  const steps = await report.write();
  process.stdout.write(`${shown(run.lossPicture)}: ${steps} steps\n`);
}
