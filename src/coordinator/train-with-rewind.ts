import type { Log } from '../common/log.js';
import type { Beginning } from './run-origin.js';
import type { Checkpoint } from '../run/checkpoint/checkpoint.js';
import { StateLost } from './executor.js';
import type { RunStatus } from '../monitoring/live/run-status.js';
import type { RunRecord } from './run-recorder.js';
import { trainSteps, type TrainingLoop } from './training-loop.js';

/** Consecutive losses of the state without a completed step that end a run. */
const FRUITLESS_STARTS = 3;

export interface TrainingParts extends TrainingLoop {
  readonly beginning: Pick<Beginning, 'name' | 'state'>;
  readonly record: Pick<RunRecord, 'beginning' | 'step' | 'end' | 'rewind'>;
  /** Kept up to date: its step is the last one that was done. */
  readonly status: RunStatus;
  readonly log: Log;
}

/**
 * Trains from the first step to the last, or until the run must stop. If all workers with the state are lost, it
 * returns to the newest checkpoint and repeats the steps with the same numbers. Throws StateLost if this happens
 * three times in a row without a completed step, or when the run must stop.
 */
export async function trainToEnd(parts: TrainingParts): Promise<void> {
  const { group, beginning, record, status, stop, log } = parts;
  let origin: Checkpoint | undefined;
  let began = (status.step = parts.firstStep - 1);
  let fruitless = 0;
  const goBack = async (lost: StateLost): Promise<void> => {
    status.ready = false;
    await origin?.close();
    origin = await record.rewind();
    began = status.step = origin?.facts.step ?? 0;
    log(
      `${lost.message}: ${origin ? `returning to step ${status.step}` : `restarting from ${beginning.name}`}`,
      { level: 'warn', event: 'rewound' },
    );
    await group.restart(origin ?? (await beginning.state()), status.step + 1);
  };

  let lost: StateLost | undefined;
  try {
    do {
      try {
        if (lost) await goBack(lost);
        lost = undefined;
        await trainFrom(parts, status.step + 1);
      } catch (error) {
        // Who wants to stop is not made to wait for workers: the last checkpoint is as far as it can go.
        if (!(error instanceof StateLost) || stop.aborted) throw error;
        fruitless = status.step > began ? 1 : fruitless + 1;
        if (fruitless === FRUITLESS_STARTS) throw error;
        lost = error;
      }
    } while (lost);
  } finally {
    await origin?.close();
  }
}

async function trainFrom(parts: TrainingParts, firstStep: number): Promise<void> {
  const { record, sampler, status } = parts;
  status.ready = true;
  if (firstStep === 1) await record.beginning();
  for await (const step of trainSteps({ ...parts, firstStep })) {
    await record.step(step);
    status.step = step.record.step;
  }
  await record.end(status.step, sampler.epochOf(Math.max(1, status.step)));
}
