import { decode } from './codec.js';
import type { Message } from './message.js';
import { Rejection } from './rejection.js';
import type { TrafficObserver } from './traffic.js';

/** The message in what a socket received, or undefined where it is none of ours: counted, and dropped. */
export function receive(frames: readonly Uint8Array[], traffic: TrafficObserver): Message | undefined {
  try {
    const bytes = frames.length === 1 ? frames[0] : undefined;
    if (!bytes) throw new Rejection('undecodable', `a message of ${frames.length} frames`);
    traffic.received(bytes.length);
    return decode(bytes);
  } catch (error) {
    if (!(error instanceof Rejection)) throw error;
    traffic.rejected(error.reason, error.message);
    return undefined;
  }
}
