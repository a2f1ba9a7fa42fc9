import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises';

/** Computes a part of an answer when its turn comes. Rejects if the client has left by then. */
export type Compute = <Result>(work: () => Result | Promise<Result>) => Promise<Result>;

/** Rest after each computation, in multiples of its duration: answers get at most a third of the main thread. */
const REST = 2;
/** Milliseconds. */
const LONGEST_REST = 1_000;
/** A timer is coarser than this; in milliseconds. */
const SHORTEST_REST = 1;

/**
 * Shares the main thread between training and the answers to HTTP clients. One answer is computed at a time, kinds of
 * answers alternate, and the thread rests after each. However many clients ask for curves, a scrape of the metrics
 * waits for one of them at most.
 */
export class AnswerTurns {
  /** Jobs by kind; the kind that waits longest comes first. */
  readonly #waiting = new Map<string, (() => Promise<void>)[]>();
  #isServing = false;

  /** `kind`: one of a few constants, such as a path that exists. */
  take<Result>(kind: string, isGone: () => boolean, work: () => Result | Promise<Result>): Promise<Result> {
    return new Promise((resolve, reject) => {
      const job = async (): Promise<void> => {
        if (isGone()) {
          reject(new Error('the client has left'));
          return;
        }
        const begun = performance.now();
        await Promise.resolve().then(work).then(resolve, reject);
        await rest(REST * (performance.now() - begun));
      };
      const jobs = this.#waiting.get(kind);
      if (jobs) jobs.push(job);
      else this.#waiting.set(kind, [job]);
      if (!this.#isServing) void this.#serve();
    });
  }

  async #serve(): Promise<void> {
    this.#isServing = true;
    for (let job = this.#next(); job; job = this.#next()) await job();
    this.#isServing = false;
  }

  #next(): (() => Promise<void>) | undefined {
    const first = this.#waiting.entries().next();
    if (first.done) return undefined;
    const [kind, jobs] = first.value;
    const job = jobs.shift();
    this.#waiting.delete(kind);
    if (jobs.length > 0) this.#waiting.set(kind, jobs);
    return job;
  }
}

/** Lets sockets, timers and training have the thread meanwhile. */
async function rest(milliseconds: number): Promise<void> {
  if (milliseconds < SHORTEST_REST) await nextTurn();
  else await pause(Math.min(milliseconds, LONGEST_REST));
}
