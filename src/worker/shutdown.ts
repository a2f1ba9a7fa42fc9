import type { Log } from '../common/log.js';
import { SIGNAL_EXIT_CODES, type StopSignal } from '../common/process/signal-exit.js';
import { onStopSignals } from '../common/process/stop-signals.js';
import { isSupervised } from './handover.js';

export interface LeaveOptions {
  /** How long to stay after SIGTERM, in milliseconds. */
  readonly grace: number;
  /** Whether the worker is in a run: otherwise there is nothing to stay for. */
  readonly isInRun: () => boolean;
  /** Ends the session, for this reason. */
  readonly onLeave: (reason: string) => void;
  readonly log: Log;
}

/**
 * Says when a worker has to leave: a worker that the coordinator started has a channel to it, and ends with it, whatever
 * it is doing: nobody else would. It leaves signals to the coordinator, since Ctrl-C reaches the whole group. Another one
 * takes its leave at Ctrl-C. SIGTERM and hangups often go to a whole run, and then the coordinator still needs the state that the
 * workers have: they stay until it ends them, or for a while.
 */
export class Leave {
  readonly #told = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #exitCode: number | undefined;
  readonly #supervised = isSupervised();
  readonly #release: () => void;

  constructor(private readonly options: LeaveOptions) {
    this.#release = onStopSignals((signal, isInsisted) => {
      this.#receive(signal, isInsisted);
    });
    if (!this.#supervised) return;
    // The coordinator may have ended while this program was loaded.
    if (!process.connected) process.kill(process.pid, 'SIGKILL');
    process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
  }

  /** Whether it has been told to: then it connects to nobody any more. */
  wasTold(): boolean {
    return this.#told.signal.aborted;
  }

  /** Set by SIGTERM and hangups: it tells the program that started the worker that the run is not over. */
  get exitCode(): number | undefined {
    return this.#exitCode;
  }

  /** Gives the signals back their usual meaning. */
  close(): void {
    clearTimeout(this.#timer);
    this.#release();
    if (this.#supervised) {
      process.removeAllListeners('disconnect');
      process.disconnect();
    }
  }

  #receive(signal: StopSignal, isInsisted: boolean): void {
    if (this.#supervised) return;
    const { grace, isInRun, onLeave, log } = this.options;
    const leave = (): void => {
      onLeave(`it was told to stop (${signal})`);
    };
    const stays = signal !== 'SIGINT' && !isInsisted && isInRun() && grace > 0;
    clearTimeout(this.#timer);
    this.#told.abort();
    if (signal !== 'SIGINT') this.#exitCode ??= SIGNAL_EXIT_CODES[signal];
    if (!stays) {
      leave();
      return;
    }
    const insist = signal === 'SIGHUP' ? '' : '; once more to leave at once';
    log(`${signal}: staying until the coordinator ends the run, ${grace / 1000} s at most${insist}`);
    this.#timer = setTimeout(leave, grace);
  }
}
