import { logsJson } from '../../common/log.js';
import { BarProgress } from './bar-progress.js';
import { LineProgress } from './line-progress.js';
import type { Progress, ProgressOptions } from './progress.js';

/** A bar on a terminal that people read, lines elsewhere. */
export function startProgress({
  totalSteps,
  totalEpochs,
  stream = process.stderr,
  now = () => performance.now(),
}: Pick<ProgressOptions, 'totalSteps' | 'totalEpochs'> & Partial<ProgressOptions>): Progress {
  const options: ProgressOptions = { totalSteps, totalEpochs, stream, now };
  return stream.isTTY === true && !logsJson() ? new BarProgress(options) : new LineProgress(options);
}
