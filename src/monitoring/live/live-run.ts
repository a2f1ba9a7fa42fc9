import type { Log } from '../../common/log.js';
import type { RunState } from '../page/api.js';
import type { RunStatus } from './run-status.js';
import { formatHttpAddress } from '../../common/http-address.js';
import type { RunFolder } from '../../run/run-directory.js';
import type { RunOptions } from '../../options/resolve-options.js';
import type { StopRequest } from '../../common/process/stop-request.js';
import { LiveSite } from './api.js';
import { RunControl } from './run-control.js';
import { RunEvents } from './event-log.js';
import { ShownRun } from './run-view.js';
import type { WorkerBoard } from './worker-table.js';

export interface LiveRunParts {
  readonly options: RunOptions;
  readonly status: RunStatus;
  readonly stop: StopRequest;
  readonly board: () => WorkerBoard;
  readonly log: Log;
}

/** The run of this process as the page shows it: looked on at, and held by its reins. */
export class LiveRun {
  readonly events: RunEvents;
  readonly site: LiveSite;
  readonly control: RunControl;
  readonly #shown: ShownRun;
  #isOver = false;

  constructor(private readonly parts: LiveRunParts) {
    const { options, status, stop, board, log } = parts;
    this.events = new RunEvents(() => status.step);
    this.control = new RunControl(stop.signal, (by) => {
      stop.request(by);
    });
    this.#shown = new ShownRun({
      options: {
        ...options,
        http: options.http && formatHttpAddress(options.http),
        liveness: `${options.liveness / 1000} s`,
      },
      state: () => this.#state(),
      step: () => status.step,
      totalSteps: () => status.totalSteps,
      workers: () => board().view(),
    });
    this.site = new LiveSite({
      runs: [this.#shown],
      // Whoever can reach the port of a run without a token may look on, and no more.
      control: options.httpToken && this.control,
      onControl: (what) => {
        log(what === 'paused' ? 'paused after this step, from the page' : 'resumed, from the page', {
          event: what,
        });
      },
    });
  }

  /** The run has a directory from now on, which holds what is shown. */
  open(folder: RunFolder): void {
    this.events.open(folder.eventsFile);
    this.#shown.open(folder);
  }

  /** The last step is done, and all that comes after it. */
  over(): void {
    this.#isOver = true;
  }

  #state(): RunState {
    const { status } = this.parts;
    if (this.#isOver) return status.step < status.totalSteps ? 'ended' : 'done';
    if (this.control.isStopping) return 'stopping';
    if (!status.ready) return 'waiting';
    return this.control.isPaused ? 'paused' : 'training';
  }
}
