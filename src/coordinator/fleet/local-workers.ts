import { setTimeout as pause } from 'node:timers/promises';
import type { Placement } from './placement.js';
import { RestartPolicy } from './restart-policy.js';
import { WorkerProcess } from './worker-process.js';

/** How long a worker that was told to stop may take, in milliseconds. */
const STOP_TIMEOUT = 10_000;

/** How long the news that a process has ended may take, in milliseconds. */
const EXIT_NOTICE_TIME = 1_000;

/** How many times the silence that is put up with a process may take to say hello. */
const HELLO_SILENCES = 6;

export interface LocalWorkersOptions {
  /** The silence that is put up with, in milliseconds. */
  readonly liveness: number;
  /** One worker each. */
  readonly placement: readonly Placement[];
  /** What a worker is started with. */
  readonly arguments: readonly string[];
  /** A line that a worker wrote on stderr. */
  readonly onLine: (worker: number, line: string) => void;
  /**
   * A worker ended, for whatever reason ("was killed by SIGKILL"), and is started again after so many milliseconds;
   * undefined: its place is given up.
   */
  readonly onEnd: (worker: number, cause: string, pause: number | undefined) => void;
}

interface Place {
  readonly placement: Placement;
  readonly policy: RestartPolicy;
  process: WorkerProcess | undefined;
  /** Ends the wait for its hello, its end or its restart. */
  timer: NodeJS.Timeout | undefined;
}

/** The workers of this machine, each in a place of its own; who ends is started again, with a growing pause. */
export class LocalWorkers {
  readonly #places: Place[];
  #stopping = false;

  constructor(private readonly options: LocalWorkersOptions) {
    this.#places = options.placement.map((placement) => ({
      placement,
      policy: new RestartPolicy(),
      process: undefined,
      timer: undefined,
    }));
    for (const worker of this.#places.keys()) this.#start(worker);
  }

  /** The worker that is this process, if any is. */
  numberOf(pid: number): number | undefined {
    const number = this.#places.findIndex(({ process }) => process?.pid === pid);
    return number < 0 ? undefined : number;
  }

  /** "gpu 0", or what its part of the cores is called. */
  deviceOf(worker: number): string {
    const gpu = this.#places.at(worker)?.placement.gpu;
    return gpu === undefined ? 'cpu' : `gpu ${gpu}`;
  }

  /** How many places are in use or will be again. */
  get remaining(): number {
    return this.#places.filter(({ policy }) => !policy.givenUp).length;
  }

  /** It has said hello: from now on its connection shows whether it lives. */
  greeted(worker: number): void {
    clearTimeout(this.#places[worker].timer);
  }

  /** It has said that it cannot go on: it has as long to end as one that was told to stop. */
  expectEnd(worker: number): void {
    const place = this.#places[worker];
    const { process } = place;
    if (!process) return;
    place.timer = setTimeout(() => {
      process.kill();
    }, STOP_TIMEOUT);
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
    const patience = new AbortController();
    const { signal } = patience;
    await Promise.race([
      this.#places[worker].process?.ended,
      pause(EXIT_NOTICE_TIME, undefined, { signal }).catch(() => undefined),
    ]);
    patience.abort();
  }

  killAll(): void {
    for (const { process } of this.#places) process?.kill();
  }

  /** Starts no more workers, and waits for those that run to end; who does not is killed. */
  async stopped(): Promise<void> {
    this.#stopping = true;
    for (const { timer } of this.#places) clearTimeout(timer);
    const timer = setTimeout(() => {
      this.killAll();
    }, STOP_TIMEOUT);
    await Promise.all(this.#places.flatMap(({ process }) => process?.ended ?? []));
    clearTimeout(timer);
  }

  #start(worker: number): void {
    const place = this.#places[worker];
    const process = new WorkerProcess({
      arguments: this.options.arguments,
      placement: place.placement,
      onLine: (line) => {
        this.options.onLine(worker, line);
      },
    });
    place.process = process;
    this.#awaitHello(worker, process);
    void process.ended.then((cause) => {
      clearTimeout(place.timer);
      place.process = undefined;
      if (!this.#stopping) this.#restart(worker, cause);
    });
  }

  #awaitHello(worker: number, process: WorkerProcess): void {
    const limit = HELLO_SILENCES * this.options.liveness;
    this.#places[worker].timer = setTimeout(() => {
      this.options.onLine(worker, `said no hello in ${limit / 1000} s`);
      process.kill();
    }, limit);
  }

  #restart(worker: number, cause: string): void {
    const place = this.#places[worker];
    const wait = place.policy.failed();
    if (wait !== undefined)
      place.timer = setTimeout(() => {
        this.#start(worker);
      }, wait);
    this.options.onEnd(worker, cause, wait);
  }
}
