import { RestartPolicy } from '../local-workers/restart-policy.js';

/** Hosts whose failures are remembered: the last ones that failed. */
const REMEMBERED = 256;

interface Failing {
  readonly policy: RestartPolicy;
  /** When it failed last, in milliseconds. */
  failed: number;
}

/** The other machines that workers come from: one whose workers fail again and again is given up. */
export class Hosts {
  readonly #failing = new Map<string, Failing>();

  /**
   * A worker that came at the time `since` was lost `now`, both of one clock. Workers that are lost together, as by
   * their network, are one failure: it counts whoever came after the last one.
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
