import { awakeTime } from '../common/process/awake.js';
import { UserError } from '../common/errors.js';
import type { Log } from '../common/log.js';
import { Refused, UnknownHost, type SessionLost } from './session-lost.js';

/** Deadline for joining a run, with the reason for the last failure. */
export class ConnectDeadline {
  #end: number;
  /** Last refusal of a coordinator that has no free slot. */
  #turnedAway: Refused | undefined;
  /** Why the coordinator's name cannot be resolved, logged once; undefined as soon as it can be. */
  #unknownHost: string | undefined;

  constructor(
    private readonly address: string,
    /** Milliseconds. */
    private deadline: number,
    private readonly log: Log,
  ) {
    this.#end = awakeTime() + deadline;
  }

  /** Milliseconds. */
  get left(): number {
    return this.#end - awakeTime();
  }

  /** A worker that was in the run was lost: it has so many milliseconds from now on to get in again. */
  renew(deadline: number): void {
    this.deadline = deadline;
    this.#end = awakeTime() + deadline;
    this.#turnedAway = undefined;
    this.#unknownHost = undefined;
  }

  /** Notes why it did not get in this time. Throws the reason where its time is up. */
  failed(reason: SessionLost): void {
    if (reason instanceof Refused) {
      if (!this.#turnedAway)
        this.log(
          `${reason.message}: asking again${Number.isFinite(this.deadline) ? ` for ${this.#seconds} s` : ''}`,
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
    return this.deadline / 1000;
  }
}
