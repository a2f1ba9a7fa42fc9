import { byteLength, decode, type Frames } from './codec.js';
import type { Message } from './message.js';
import { Rejection } from './rejection.js';
import type { TrafficObserver } from './traffic.js';

/** The message in what a socket received, or undefined where it is none of ours: counted, and dropped. */
export function receive(frames: Frames, traffic: TrafficObserver): Message | undefined {
  try {
    traffic.received(byteLength(frames));
    return decode(frames);
  } catch (error) {
    if (!(error instanceof Rejection)) throw error;
    traffic.rejected(error.reason, error.message);
    return undefined;
  }
}
