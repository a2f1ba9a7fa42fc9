import type { Coverage } from './checksum.js';
import { byteLength, decode, type Frames } from './codec.js';
import { sharedBytes, type Message } from './message.js';
import { Rejection } from './rejection.js';
import { withoutNumber, type Sequence } from './sequence.js';
import type { TrafficObserver } from './traffic.js';
import { countReceived } from './minor-gc.js';

/** A message, and its number on its connection. */
export interface Numbered {
  readonly number: number;
  readonly message: Message;
}

/**
 * The message in what a socket received, or undefined where it is none of ours: counted, and dropped. `sequence` is that
 * of the socket's connection, where it has but one.
 */
export function receive(
  received: Frames,
  traffic: TrafficObserver,
  sequence?: Sequence,
  coverage?: Coverage,
): Numbered | undefined {
  try {
    const bytes = byteLength(received);
    countReceived(bytes);
    traffic.received(bytes);
    const { number, frames } = withoutNumber(received);
    const message = decode(frames, coverage);
    traffic.received(sharedBytes(message));
    sequence?.require(number);
    return { number, message };
  } catch (error) {
    if (!(error instanceof Rejection)) throw error;
    traffic.rejected(error.reason, error.message);
    return undefined;
  }
}
