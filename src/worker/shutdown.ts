import type { Log } from '../common/log.js';
import { SIGNAL_EXIT_CODES, type StopSignal } from '../common/process/signal-exit.js';
import { onStopSignals } from '../common/process/stop-signals.js';
import { isSupervised } from './handover.js';

export interface ShutdownOptions {
  /** Milliseconds to stay after SIGTERM. */
  readonly grace: number;
  /** True if the worker takes part in a run. Otherwise it has no reason to stay. */
  readonly isInRun: () => boolean;
  /** Ends the session, for this reason. */
  readonly onLeave: (reason: string) => void;
  readonly log: Log;
}

/**
 * Decides when a worker leaves. A worker that a coordinator started ignores signals, which reach the whole process
 * group, and ends with the coordinator. An external worker leaves at Ctrl-C. SIGTERM and hangups often reach a whole
 * run, whose coordinator still needs the workers' state: the worker then stays until the coordinator ends it, or for
 * the grace period.
 */
export class ShutdownSignal {
  readonly #told = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #exitCode: number | undefined;
  readonly #supervised = isSupervised();
  readonly #release: () => void;

  constructor(private readonly options: ShutdownOptions) {
    this.#release = onStopSignals((signal, isInsisted) => {
      this.#receive(signal, isInsisted);
    });
    if (!this.#supervised) return;
    // The coordinator may have ended while this program was loaded.
    if (!process.connected) process.kill(process.pid, 'SIGKILL');
    process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
  }

  /** Returns whether the worker must leave. It then makes no new connection. */
  isRequested(): boolean {
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
