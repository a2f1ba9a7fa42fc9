import type { Frames } from './codec.js';
import { Rejection } from './rejection.js';

/** The first frame of every message on a connection: its number there, little-endian. */
export const NUMBER_BYTES = 8;

/**
 * Numbers the messages of one connection in each direction. ZeroMQ delivers all of them in order or breaks the
 * connection; a relay, or full memory, may not. Both ends send heartbeats, so a missing, duplicate or reordered
 * message is detected within one. The number is not part of the message: an average is encoded once for all workers.
 */
export class Sequence {
  #sent = 0;
  #received = 0;

  /** These frames behind the number of the message that is sent next. */
  number(frames: Frames): Frames {
    const first = Buffer.alloc(NUMBER_BYTES);
    first.writeBigUInt64LE(BigInt(++this.#sent));
    return [first, ...frames];
  }

  /** Throws a Rejection for any message but the one that comes next. */
  require(number: number): void {
    const next = this.#received + 1;
    if (number !== next)
      throw new Rejection('out_of_sequence', `message ${number} of its connection where ${next} was next`);
    this.#received = next;
  }
}

/** Returns a received message and its number. Throws a Rejection if it has none. The caller checks the number. */
export function withoutNumber([first, ...frames]: Frames): {
  readonly number: number;
  readonly frames: Frames;
} {
  // Of no frames, TypeScript does not know.
  if ((first as Uint8Array | undefined)?.length !== NUMBER_BYTES)
    throw new Rejection('undecodable', 'a message that does not begin with a number');
  const { buffer, byteOffset, byteLength } = first;
  return { number: Number(new DataView(buffer, byteOffset, byteLength).getBigUint64(0, true)), frames };
}
