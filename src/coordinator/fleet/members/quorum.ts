import { awakeTime } from '../../../common/process/awake.js';
import { Interrupted } from '../../../common/errors.js';
import type { Log } from '../../../common/log.js';
import { WorkersGone } from '../../executor.js';
import type { Fallback } from '../../../options/fallback.js';
import type { PendingReplies } from '../pending-replies.js';
import type { LocalWorkers } from '../local-workers/local-workers.js';
import type { Recovery } from './recovery.js';

/** Milliseconds that workers have to connect. */
const JOIN_TIMEOUT = 600_000;

/** Milliseconds for which a run without workers waits for one to reconnect before it falls back. */
const ABSENCE_TIMEOUT = 60_000;

/** The longest time that a timer takes, in milliseconds: 24 days. */
const FOREVER = 2 ** 31 - 1;

export interface QuorumParts {
  /** Workers at the start, and the minimum afterwards. */
  readonly workers: number;
  readonly minWorkers: number;
  readonly fallback: Fallback;
  readonly recovery: Recovery;
  readonly replies: PendingReplies;
  readonly local: () => LocalWorkers | undefined;
  readonly log: Log;
  /** The user no longer wants to wait. */
  readonly signal: AbortSignal;
}

/** Waits for as many workers as a run needs. */
export class Quorum {
  #begun = false;
  #onChange = (): void => undefined;

  constructor(private readonly parts: QuorumParts) {}

  /** The first generation stands: from now on the least number is enough. */
  begun(): void {
    this.#begun = true;
  }

  /** To be called when a worker joined, left, or will not come any more. */
  changed(): void {
    this.#onChange();
  }

  get isReached(): boolean {
    return this.parts.recovery.size >= this.#needed && !this.#awaitsState;
  }

  /** The members lack the run's state, and a process that has lost its connection may bring it back. */
  get #awaitsState(): boolean {
    const { recovery, local } = this.parts;
    return !recovery.hasState && (local()?.awaitsReturn ?? false);
  }

  /** Rejects with WorkersGone where they do not come, and with Interrupted. */
  async gathered(): Promise<void> {
    const { minWorkers, recovery, local, log } = this.parts;
    const started = awakeTime();
    while (!this.isReached) {
      const remaining = local()?.remaining ?? Infinity;
      if (remaining < Math.max(1, minWorkers)) throw new WorkersGone(left(remaining));
      if (this.#begun) {
        const here = `${recovery.size} of ${this.#needed} are here`;
        log(`waiting for workers: ${this.#awaitsState ? 'those with the state may come back' : here}`, {
          level: 'warn',
        });
      }
      await this.#change(this.#patience - (awakeTime() - started), () => {
        const seconds = Math.round((awakeTime() - started) / 1000);
        return new WorkersGone(`${recovery.size} of ${this.#needed} workers came in ${seconds} s`);
      });
    }
  }

  /** Workers that are needed: at the start all that were requested and can connect, later the minimum. */
  get #needed(): number {
    const { workers, minWorkers, local } = this.parts;
    return this.#begun ? minWorkers : Math.max(minWorkers, Math.min(workers, local()?.remaining ?? workers));
  }

  get #patience(): number {
    const { fallback, recovery, local } = this.parts;
    if (local()) return JOIN_TIMEOUT;
    if (fallback === 'wait') return FOREVER;
    return this.#begun && recovery.size === 0 ? ABSENCE_TIMEOUT : JOIN_TIMEOUT;
  }

  /** Waits until a worker comes or goes, for so many milliseconds at most, or the user no longer wants to. */
  async #change(milliseconds: number, late: () => Error): Promise<void> {
    const { replies, signal } = this.parts;
    const changed = replies.expect();
    this.#onChange = changed.resolve;
    const onAbort = (): void => {
      changed.reject(new Interrupted('stopped while it waited for workers'));
    };
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      await replies.within(Math.max(0, milliseconds), changed, () => {
        changed.reject(late());
      });
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }
}

function left(workers: number): string {
  return workers === 0
    ? 'no worker is left'
    : `only ${workers} worker${workers === 1 ? ' is' : 's are'} left`;
}
