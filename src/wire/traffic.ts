import type { RejectionReason } from './rejection.js';

/** What a socket's owner wants to know of what passes through it. */
export interface TrafficObserver {
  sent(bytes: number): void;
  received(bytes: number): void;
  rejected(reason: RejectionReason, message: string): void;
}
