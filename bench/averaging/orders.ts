import type { LinkSecurity } from '../../src/wire/security.js';
import type { Transport, Way } from './rows.js';

/** What a coordinator's process is told. */
export interface CoordinatorOrder {
  readonly workers: number;
  readonly way: Way;
  readonly listen: string;
  readonly security: { readonly secretKey: string; readonly admitted: readonly string[] } | undefined;
  readonly rounds: number;
}

/** What it says: first where workers have to come to, then that all rounds are done. */
export type CoordinatorWord = { readonly address: string } | { readonly done: true };

/** What a worker's process is told. */
export interface WorkerOrder {
  readonly number: number;
  readonly coordinator: string;
  readonly transport: Transport;
  readonly security: LinkSecurity | undefined;
}

/** What it says at its end: of each round, milliseconds from having its vector to having the mean. */
export interface WorkerWord {
  readonly milliseconds: readonly number[];
}

/** The rounds at the beginning that are not counted: connections and memory are new. */
export const WARM_UP = 3;
