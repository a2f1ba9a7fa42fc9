import type { RejectionReason } from './rejection.js';

/** Observer of a socket's traffic. */
export interface TrafficObserver {
  sent(bytes: number): void;
  received(bytes: number): void;
  rejected(reason: RejectionReason, message: string): void;
}
