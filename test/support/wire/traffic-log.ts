import type { RejectionReason } from '../../../src/wire/rejection.js';
import type { TrafficObserver } from '../../../src/wire/traffic.js';

/** Keeps what a socket's owner is told. */
export class TrafficLog implements TrafficObserver {
  sentBytes = 0;
  receivedBytes = 0;
  readonly rejections: RejectionReason[] = [];

  sent(bytes: number): void {
    this.sentBytes += bytes;
  }

  received(bytes: number): void {
    this.receivedBytes += bytes;
  }

  rejected(reason: RejectionReason): void {
    this.rejections.push(reason);
  }
}
