import { RestartPolicy } from '../local-workers/restart-policy.js';

/** HostFailures whose failures are remembered: the last ones that failed. */
const REMEMBERED = 256;

interface Failing {
  readonly policy: RestartPolicy;
  /** When it failed last, in milliseconds. */
  failed: number;
}

/** Counts failures by machine. A machine whose workers fail again and again is not admitted any more. */
export class HostFailures {
  readonly #failing = new Map<string, Failing>();

  /**
   * Records the loss, at `now`, of a worker that connected at `since`, both times of one clock. Workers that are lost
   * together, for example by their network, count as one failure.
   */
  failed({ host, since }: { readonly host: string; readonly since: number }, now: number): void {
    const failing = this.#failing.get(host) ?? { policy: new RestartPolicy(), failed: -Infinity };
    if (since < failing.failed) return;
    failing.failed = now;
    failing.policy.failed();
    this.#failing.delete(host);
    this.#failing.set(host, failing);
    if (this.#failing.size > REMEMBERED) this.#failing.delete([...this.#failing.keys()][0]);
  }

  served(host: string): void {
    this.#failing.get(host)?.policy.served();
  }

  /** Why no worker of this host is taken any more, or undefined. */
  refusal(host: string): string | undefined {
    const policy = this.#failing.get(host)?.policy;
    return policy?.givenUp
      ? `its host ${host} failed ${policy.failures} times in a row and was given up`
      : undefined;
  }
}
