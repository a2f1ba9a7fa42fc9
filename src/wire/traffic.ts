import type { RejectionReason } from './rejection.js';

/** What a socket's owner wants to know of what passes through it. */
export interface TrafficObserver {
  sent(bytes: number): void;
  received(bytes: number): void;
  rejected(reason: RejectionReason, message: string): void;
}

/** ZeroMQ's own heartbeats, in milliseconds: its I/O threads send them, whatever the program computes. */
export interface Heartbeat {
  readonly interval: number;
  /** Silence for this long ends a connection. */
  readonly timeout: number;
}

export const DEFAULT_HEARTBEAT: Heartbeat = { interval: 1_000, timeout: 10_000 };

/** How long a socket that is closed may go on sending what it holds, in milliseconds. */
export const LINGER = 1_000;
