import { RestartPolicy } from './restart-policy.js';

/** Hosts whose failures are remembered: the last ones that failed. */
const REMEMBERED = 256;

/** The other machines that workers come from: one whose workers fail again and again is given up. */
export class Hosts {
  readonly #policies = new Map<string, RestartPolicy>();

  failed(host: string): void {
    const policy = this.#policies.get(host) ?? new RestartPolicy();
    this.#policies.delete(host);
    this.#policies.set(host, policy);
    policy.failed();
    if (this.#policies.size > REMEMBERED) this.#policies.delete([...this.#policies.keys()][0]);
  }

  served(host: string): void {
    this.#policies.get(host)?.served();
  }

  /** Why no worker of this host is taken any more, or undefined. */
  refusal(host: string): string | undefined {
    const policy = this.#policies.get(host);
    return policy?.givenUp
      ? `its host ${host} failed ${policy.failures} times in a row and was given up`
      : undefined;
  }
}
