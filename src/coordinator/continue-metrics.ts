import { stat } from 'node:fs/promises';
import type { Checkpoint } from '../run/checkpoint/checkpoint.js';
import type { RunMetrics } from '../monitoring/metrics/run-metrics.js';
import type { RunFolder } from '../run/run-directory.js';
import { lastRecord } from '../run/step-log.js';

/** Has the metrics say what they said after the checkpoint that a run goes on from. */
export async function continueMetrics(metrics: RunMetrics, run: RunFolder, from: Checkpoint): Promise<void> {
  const { step, counters } = from.facts;
  metrics.continueFrom(counters);
  metrics.rewind(await lastRecord(run.statsFile, step));
  metrics.setCheckpoint(step, (await stat(from.path)).mtime);
}
