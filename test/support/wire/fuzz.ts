import assert from 'node:assert/strict';
import { decode, encode, type Frames } from '../../../src/wire/codec.js';
import type { BodyKind } from '../../../src/wire/message.js';
import type { RejectionReason } from '../../../src/wire/rejection.js';
import { Rejection } from '../../../src/wire/rejection.js';
import { FuzzInputs } from './fuzz-inputs.js';

/** These may have fields of another version, which are not kept: they are not encoded to the same bytes. */
const MAY_HAVE_MORE: readonly BodyKind[] = ['hello', 'refusal'];

/** What became of the inputs so far. */
export interface FuzzCounts {
  inputs: number;
  readonly accepted: Map<BodyKind, number>;
  readonly rejected: Map<RejectionReason, number>;
  /** Of one decode(), in milliseconds. */
  slowest: number;
}

/**
 * Gives decode() one input after the other. Each has to be rejected, or to be a message that is encoded to the bytes it
 * came in: throws, with the input, for whatever else happens.
 */
export class DecodeFuzz {
  readonly counts: FuzzCounts = { inputs: 0, accepted: new Map(), rejected: new Map(), slowest: 0 };
  readonly #inputs: FuzzInputs;

  constructor(seed: number) {
    this.#inputs = new FuzzInputs(seed);
  }

  run(count: number): void {
    for (let i = 0; i < count; i++) this.#try(this.#inputs.next());
  }

  #try(frames: Frames): void {
    this.counts.inputs++;
    const begin = performance.now();
    try {
      const { kind } = decodeTwice(frames);
      increase(this.counts.accepted, kind);
    } catch (error) {
      if (!(error instanceof Rejection))
        throw new Error(`input ${this.counts.inputs}: ${shown(frames)}`, { cause: error });
      increase(this.counts.rejected, error.reason);
    }
    this.counts.slowest = Math.max(this.counts.slowest, performance.now() - begin);
  }
}

function decodeTwice(frames: Frames) {
  const message = decode(frames);
  const again = encode(message);
  if (!MAY_HAVE_MORE.includes(message.kind)) assertSame(again, frames);
  try {
    assertSame(encode(decode(again)), again);
  } catch (error) {
    // A rejection here is no answer to the input: it was taken before.
    throw new Error('a message that is not taken again', { cause: error });
  }
  return message;
}

function assertSame(actual: Frames, expected: Frames): void {
  assert.equal(actual.length, expected.length);
  for (const [index, frame] of actual.entries())
    assert.equal(Buffer.compare(frame, expected[index]), 0, `frame ${index}`);
}

function increase<Key>(counts: Map<Key, number>, key: Key): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

/** In hex, not longer than can be looked at. */
function shown(frames: Frames): string {
  return frames.map((frame) => Buffer.from(frame.subarray(0, 300)).toString('hex')).join(' | ');
}
