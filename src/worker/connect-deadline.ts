import { awakeTime } from '../common/process/awake.js';
import { UserError } from '../common/errors.js';
import type { Log } from '../common/log.js';
import { TurnedAway, UnknownHost, type SessionLost } from './session-lost.js';

/** How long a worker tries to get into a run, and why it is not in yet. */
export class Patience {
  #end: number;
  /** What the coordinator said last, where it answers but has no place. */
  #turnedAway: TurnedAway | undefined;
  /** Why the coordinator's name cannot be resolved, logged once; undefined as soon as it can be. */
  #unknownHost: string | undefined;

  constructor(
    private readonly address: string,
    /** Milliseconds. */
    private patience: number,
    private readonly log: Log,
  ) {
    this.#end = awakeTime() + patience;
  }

  /** Milliseconds. */
  get left(): number {
    return this.#end - awakeTime();
  }

  /** A worker that was in the run was lost: it has so many milliseconds from now on to get in again. */
  renew(patience: number): void {
    this.patience = patience;
    this.#end = awakeTime() + patience;
    this.#turnedAway = undefined;
    this.#unknownHost = undefined;
  }

  /** Notes why it did not get in this time. Throws the reason where its time is up. */
  failed(reason: SessionLost): void {
    if (reason instanceof TurnedAway) {
      if (!this.#turnedAway)
        this.log(
          `${reason.message}: asking again${Number.isFinite(this.patience) ? ` for ${this.#seconds} s` : ''}`,
        );
      this.#turnedAway = reason;
    }
    if (reason instanceof UnknownHost) {
      if (this.#unknownHost === undefined)
        this.log(`${reason.message}; retrying for ${this.#seconds} s`, { level: 'warn' });
      this.#unknownHost ??= reason.message;
    } else this.#unknownHost = undefined;
    if (this.left > 0) return;
    if (this.#unknownHost !== undefined)
      throw new Error(
        `${this.#unknownHost} for ${this.#seconds} s: check the host in --coordinator ${this.address}, or use its IP address`,
      );
    if (this.#turnedAway)
      throw new UserError(
        `the coordinator refused this worker for ${this.#seconds} s: ${this.#turnedAway.message}`,
      );
    throw new Error(
      `${reason.message} at ${this.address} for ${this.#seconds} s: ` +
        'is the coordinator running there, with --external or started by this machine, and with the key that --keys has?',
    );
  }

  get #seconds(): number {
    return this.patience / 1000;
  }
}
