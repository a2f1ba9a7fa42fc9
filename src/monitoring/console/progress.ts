import type { Log } from '../../common/log.js';
import type { StepRecord } from '../../run/step-record.js';

/** Shows people how a run goes. Everything goes to one stream, stderr: stdout stays free for what is asked for. */
export interface Progress {
  show(record: StepRecord): void;
  /** A message, above the bar if there is one. */
  readonly log: Log;
  /** Leaves the last state to be read. Only messages may follow. Without it a bar's timer keeps the process alive. */
  stop(): void;
}

export interface ProgressStream extends NodeJS.WritableStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
}

export interface ProgressOptions {
  readonly totalSteps: number;
  readonly totalEpochs: number;
  readonly stream: ProgressStream;
  /** Milliseconds of a clock that does not go back. */
  readonly now: () => number;
}
