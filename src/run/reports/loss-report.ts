import { writeFileAtomically } from '../../common/files/atomic-file.js';
import { renderChart } from './chart-renderer.js';
import { lossChart } from './loss-chart.js';
import { readLosses, writeLossFiles } from './losses.js';
import { oneAtATime } from '../../common/one-at-a-time.js';
import type { RunFolder } from '../run-directory.js';
import type { Report } from '../step-log.js';

export interface LossReportOptions {
  /** Gives the drawing up. */
  readonly signal?: AbortSignal;
  /** Smoothing of loss.png: a weight of `smooth`. */
  readonly smoothing?: number;
}

/** losses.csv, GL.npy, DL.npy and loss.png: all derived from stats.jsonl, as often as they are asked for. */
export class LossReport {
  /** Returns the number of steps. Without any there is no loss.png. Two calls at once do not write at once. */
  readonly write: () => Promise<number>;

  constructor(run: RunFolder, report: Report, { signal, smoothing }: LossReportOptions = {}) {
    this.write = oneAtATime(async () => {
      const losses = await readLosses(run, report);
      await writeLossFiles(run, losses);
      if (losses.steps.length > 0) {
        await writeFileAtomically(run.lossPicture, await renderChart(lossChart(losses, smoothing), signal));
      }
      return losses.steps.length;
    });
  }
}
