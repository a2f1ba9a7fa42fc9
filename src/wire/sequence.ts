import type { Frames } from './codec.js';
import { Rejection } from './rejection.js';

/** The first frame of every message on a connection: its number there, little-endian. */
export const NUMBER_BYTES = 8;

/**
 * Counts the messages of one connection, each way. ZeroMQ delivers all of them in order or breaks the connection; a
 * relay, or a memory that is full, does not always. Since both ends send signs of life all the time, one that is missing,
 * twice or out of its place shows within a beat, and not when somebody has waited for it long enough. The number is no
 * part of the message: an average is encoded once for all, and has another number on each connection.
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

/** What a socket received, and its number. Throws a Rejection where there is none; which one is right is not known here. */
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
