import { MultiBar, type SingleBar } from 'cli-progress';
import { logLine, type Log } from '../../common/log.js';
import type { StepRecord } from '../../run/step-record.js';
import type { Progress, ProgressOptions } from './progress.js';
import { progressBar, type ProgressState } from './progress-text.js';
import { StepRate } from './step-rate.js';

/** A bar that stays at the bottom of a terminal. It appears with the first step. */
export class BarProgress implements Progress {
  readonly #options: ProgressOptions;
  readonly #rate = new StepRate();
  readonly #bars: MultiBar;
  #bar: SingleBar | undefined;
  #state: ProgressState | undefined;

  constructor(options: ProgressOptions) {
    this.#options = options;
    // Of cli-progress's two kinds only this one can write lines above a bar.
    this.#bars = new MultiBar({
      stream: options.stream,
      fps: 5,
      forceRedraw: true, // a line may have taken the bar's place
      linewrap: true, // off, it would cut off long messages too
      // The last column stays free: some terminals wrap when it is written to.
      format: () =>
        this.#state === undefined ? '' : progressBar(this.#state, (options.stream.columns ?? 80) - 1),
    });
  }

  show(record: StepRecord): void {
    const { totalSteps, totalEpochs, now } = this.#options;
    this.#rate.mark(record.step, now());
    const secondsLeft = this.#rate.secondsFor(totalSteps - record.step);
    this.#state = { record, totalSteps, totalEpochs, secondsLeft };
    this.#bar ??= this.#bars.create(totalSteps, record.step);
    this.#bar.update(record.step);
  }

  readonly log: Log = (message, fields) => {
    const line = logLine(message, fields);
    if (this.#bar === undefined) {
      this.#options.stream.write(line);
    } else {
      this.#bars.log(line);
      this.#bars.update();
    }
  };

  stop(): void {
    if (this.#bar === undefined) return;
    this.#bar = undefined;
    this.#bars.stop();
  }
}
