import { afterAwake, inAwakeTime } from '../../../common/process/awake.js';
import type { Placement } from './placement.js';
import { RestartPolicy } from './restart-policy.js';
import { WorkerProcess } from './worker-process.js';

/** Milliseconds that a worker has to end after it was told to stop. */
const STOP_TIMEOUT = 10_000;

/** Milliseconds until the system reports the end of a process. */
const EXIT_NOTICE_TIME = 1_000;

const nothing = (): void => undefined;

/** Multiple of the liveness timeout that a process has to say hello. */
const HELLO_SILENCES = 6;

export interface LocalWorkersOptions {
  /** The silence that is put up with, in milliseconds. */
  readonly liveness: number;
  /** One worker each. */
  readonly placement: readonly Placement[];
  /** Command-line arguments of a worker. */
  readonly arguments: readonly string[];
  /** A folder for their sockets; see Handover. */
  readonly sockets: string | undefined;
  /** A line that a worker wrote on stderr. */
  readonly onLine: (worker: number, line: string) => void;
  /**
   * Called when a worker has ended, with the cause ("was killed by SIGKILL") and the milliseconds until its restart;
   * undefined: no restart.
   */
  readonly onEnd: (worker: number, cause: string, pause: number | undefined) => void;
}

interface Place {
  readonly placement: Placement;
  readonly policy: RestartPolicy;
  process: WorkerProcess | undefined;
  /** Its connection is gone, and it has time to come back on another one. */
  isReturning: boolean;
  /** Ends the wait for its hello, its end or its restart. */
  cancel: () => void;
}

/** Supervises the workers of this machine, one per slot. Restarts a worker that ends, with backoff. */
export class LocalWorkers {
  readonly #places: Place[];
  #stopping = false;

  constructor(private readonly options: LocalWorkersOptions) {
    this.#places = options.placement.map((placement) => ({
      placement,
      policy: new RestartPolicy(),
      process: undefined,
      isReturning: false,
      cancel: nothing,
    }));
    for (const worker of this.#places.keys()) this.#start(worker);
  }

  /** The worker whose process was given this secret, if any was. */
  numberOf(secret: string): number | undefined {
    const number = this.#places.findIndex(({ process }) => process?.secret.matches(secret));
    return number < 0 ? undefined : number;
  }

  /** "gpu 0", or what its part of the cores is called. */
  deviceOf(worker: number): string {
    const gpu = this.#places.at(worker)?.placement.gpu;
    return gpu === undefined ? 'cpu' : `gpu ${gpu}`;
  }

  /** Slots that are in use or will be used again. */
  get remaining(): number {
    return this.#places.filter(({ policy }) => !policy.givenUp).length;
  }

  /** True if a process that lost its connection may reconnect. */
  get awaitsReturn(): boolean {
    return this.#places.some(({ isReturning }) => isReturning);
  }

  /** It has said hello: from now on its connection shows whether it lives. */
  greeted(worker: number): void {
    const place = this.#places[worker];
    place.isReturning = false;
    place.cancel();
  }

  /** Its connection is gone. Its process may live and come back with its state: it is killed only after so long. */
  expectReturn(worker: number, milliseconds: number): void {
    const place = this.#places[worker];
    if (!place.process) return;
    place.isReturning = true;
    this.#killAfter(worker, Math.max(milliseconds, this.#helloTime), 'did not come back');
  }

  /** Limits the time in which a worker that reported a failure has to end. */
  expectEnd(worker: number): void {
    this.#killAfter(worker, STOP_TIMEOUT);
  }

  served(worker: number): void {
    this.#places[worker].policy.served();
  }

  /** Ends a worker that does not answer; it is started again. */
  kill(worker: number): void {
    this.#places[worker].process?.kill();
  }

  /** Resolves when this worker's process has ended, or in a second where it lives on. */
  async ended(worker: number): Promise<void> {
    const { process } = this.#places[worker];
    if (process) await inAwakeTime(EXIT_NOTICE_TIME, process.ended);
  }

  killAll(): void {
    for (const { process } of this.#places) process?.kill();
  }

  /** Starts no more workers and waits until those that run have ended. Kills workers that take too long. */
  async stopped(): Promise<void> {
    this.#stopping = true;
    for (const { cancel } of this.#places) cancel();
    const cancelKill = afterAwake(STOP_TIMEOUT, () => {
      this.killAll();
    });
    await Promise.all(this.#places.flatMap(({ process }) => process?.ended ?? []));
    cancelKill();
  }

  #start(worker: number): void {
    const place = this.#places[worker];
    const process = new WorkerProcess({
      arguments: this.options.arguments,
      placement: place.placement,
      sockets: this.options.sockets,
      onLine: (line) => {
        this.options.onLine(worker, line);
      },
    });
    place.process = process;
    this.#killAfter(worker, this.#helloTime, 'said no hello');
    void process.ended.then((cause) => {
      place.cancel();
      place.isReturning = false;
      place.process = undefined;
      if (!this.#stopping) this.#restart(worker, cause);
    });
  }

  get #helloTime(): number {
    return HELLO_SILENCES * this.options.liveness;
  }

  /** Kills the process of a place, which is started again, unless it does what it is waited for within this time. */
  #killAfter(worker: number, milliseconds: number, failure?: string): void {
    const place = this.#places[worker];
    const { process } = place;
    if (!process) return;
    place.cancel();
    place.cancel = afterAwake(milliseconds, () => {
      if (failure !== undefined)
        this.options.onLine(worker, `${failure} in ${Math.round(milliseconds / 1000)} s`);
      process.kill();
    });
  }

  #restart(worker: number, cause: string): void {
    const place = this.#places[worker];
    const wait = place.policy.failed();
    if (wait !== undefined)
      place.cancel = afterAwake(wait, () => {
        this.#start(worker);
      });
    this.options.onEnd(worker, cause, wait);
  }
}
