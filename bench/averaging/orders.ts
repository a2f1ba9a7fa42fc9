import type { WireFormat } from '../../src/averaging/wire-format.js';
import type { LinkSecurity } from '../../src/wire/security.js';
import type { Transport, Way } from './rows.js';

/** What a coordinator's process is told. */
export interface CoordinatorOrder {
  readonly workers: number;
  readonly way: Way;
  readonly wire: WireFormat;
  readonly transport: Transport;
  readonly listen: string;
  readonly security: { readonly secretKey: string; readonly admitted: readonly string[] } | undefined;
  readonly rounds: number;
}

/** What it says: first where workers have to come to, then that all rounds are done, and the processor's time of one. */
export type CoordinatorWord = { readonly address: string } | { readonly cpuMilliseconds: number };

/** What a worker's process is told. */
export interface WorkerOrder {
  readonly number: number;
  readonly coordinator: string;
  readonly transport: Transport;
  readonly security: LinkSecurity | undefined;
}

/** What it says at its end. */
export interface WorkerWord {
  /** Of the processor, a round. */
  readonly cpuMilliseconds: number;
  /** Of each round, from having its vector to having the mean. */
  readonly milliseconds: readonly number[];
}

/** The rounds at the beginning that are not counted: connections and memory are new. */
export const WARM_UP = 3;

/** The processor's time of this process in the rounds that are counted. */
export class CpuMeter {
  #rounds = -WARM_UP;
  #begun: NodeJS.CpuUsage | undefined;

  /** A round is over. */
  tick(): void {
    if (++this.#rounds === 0) this.#begun = process.cpuUsage();
  }

  /** Of a round. */
  get milliseconds(): number {
    const { user, system } = process.cpuUsage(this.#begun);
    return (user + system) / 1000 / this.#rounds;
  }
}
