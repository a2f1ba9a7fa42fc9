import { logLine, type Log, type LogFields } from '../../common/log.js';
import type { StepRecord } from '../../run/step-record.js';
import type { Progress, ProgressOptions } from './progress.js';
import { progressFields, progressLine } from './progress-text.js';
import { StepRate } from './step-rate.js';

/** Milliseconds between progress lines. */
const INTERVAL_MS = 5_000;

/** One line every few seconds: for logs, pipes and CI. The first step and the last are always among them. */
export class LineProgress implements Progress {
  readonly #options: ProgressOptions;
  readonly #rate = new StepRate();
  #shownAt = -Infinity;
  /** The last step, as long as it has no line. */
  #pending: { readonly message: string; readonly fields: LogFields } | undefined;

  constructor(options: ProgressOptions) {
    this.#options = options;
  }

  show(record: StepRecord): void {
    const { totalSteps, totalEpochs, now } = this.#options;
    const at = now();
    this.#rate.mark(record.step, at);
    const secondsLeft = this.#rate.secondsFor(totalSteps - record.step);
    const state = { record, totalSteps, totalEpochs, secondsLeft };
    this.#pending = { message: progressLine(state), fields: progressFields(state) };
    if (at - this.#shownAt >= INTERVAL_MS || record.step >= totalSteps) {
      this.#flush();
      this.#shownAt = at;
    }
  }

  readonly log: Log = (message, fields) => {
    this.#options.stream.write(logLine(message, fields));
  };

  stop(): void {
    this.#flush();
  }

  #flush(): void {
    if (this.#pending) this.log(this.#pending.message, this.#pending.fields);
    this.#pending = undefined;
  }
}
