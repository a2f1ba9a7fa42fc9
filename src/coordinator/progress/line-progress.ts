import type { StepRecord } from '../step-record.js';
import type { Progress, ProgressOptions } from './progress.js';
import { progressLine } from './progress-text.js';
import { StepRate } from './step-rate.js';

/** Often enough to see that it goes on, seldom enough for a log that is kept. */
const INTERVAL_MS = 5_000;

/** One line every few seconds: for logs, pipes and CI. The first step and the last are always among them. */
export class LineProgress implements Progress {
  readonly #options: ProgressOptions;
  readonly #rate = new StepRate();
  #shownAt = -Infinity;
  /** The last step, as long as it has no line. */
  #pending: string | undefined;

  constructor(options: ProgressOptions) {
    this.#options = options;
  }

  show(record: StepRecord): void {
    const { totalSteps, totalEpochs, now } = this.#options;
    const at = now();
    this.#rate.mark(record.step, at);
    const secondsLeft = this.#rate.secondsFor(totalSteps - record.step);
    this.#pending = progressLine({ record, totalSteps, totalEpochs, secondsLeft });
    if (at - this.#shownAt >= INTERVAL_MS || record.step >= totalSteps) {
      this.#flush();
      this.#shownAt = at;
    }
  }

  log(line: string): void {
    this.#options.stream.write(`${line}\n`);
  }

  stop(): void {
    this.#flush();
  }

  #flush(): void {
    if (this.#pending !== undefined) this.log(this.#pending);
    this.#pending = undefined;
  }
}
