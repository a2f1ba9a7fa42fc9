import { Encoding, type Bodies, type Content } from './message.js';
import { Rejection } from './rejection.js';

const FLOAT = Float32Array.BYTES_PER_ELEMENT;

const ENCODINGS = { fp32: Encoding.PLAIN, bf16: Encoding.BFLOAT16 } as const;

/** A part of a vector that travels as one chunk: its first number, and how it is written, in how many bytes. */
export interface VectorPart {
  readonly offset: number;
  readonly format: keyof typeof ENCODINGS;
  readonly bytes: number;
}

/** The chunk of a part of a vector, of so many numbers. */
export function vectorChunk(
  { content, shard, length }: { readonly content: Content; readonly shard: number; readonly length: number },
  { offset, format }: Pick<VectorPart, 'offset' | 'format'>,
  payload: Uint8Array,
): Bodies['chunk'] {
  const place = { content, shard, offset: offset * FLOAT, total: length * FLOAT, request: 0 };
  return { ...place, encoding: ENCODINGS[format], payload };
}

/** Throws a Rejection for a chunk that is not this part of a vector of so many numbers. */
export function requirePart(
  length: number,
  part: VectorPart,
  { offset, total, encoding = Encoding.PLAIN, payload }: Bodies['chunk'],
): void {
  if (total !== length * FLOAT)
    throw new Rejection('out_of_range', `a vector of ${total} bytes where ${length * FLOAT} were expected`);
  if (offset !== part.offset * FLOAT) throw new Rejection('unexpected', `a chunk at ${offset}, out of order`);
  if (encoding !== ENCODINGS[part.format])
    throw new Rejection('out_of_range', `a chunk in encoding ${encoding}, which is not ${part.format}`);
  if (payload.length !== part.bytes)
    throw new Rejection('out_of_range', `a chunk of ${payload.length} bytes`);
}

/** Lets the chunks of a vector through that is cut in a way known beforehand, in order and without gaps. */
export class ExpectedChunks {
  #next = 0;

  constructor(
    /** Numbers of the vector. */
    private readonly length: number,
    private readonly parts: readonly VectorPart[],
  ) {}

  get complete(): boolean {
    return this.#next === this.parts.length;
  }

  /** Returns which of the parts it is. Throws a Rejection for a chunk that is not the next one. */
  take(body: Bodies['chunk']): number {
    const part = this.parts.at(this.#next);
    if (!part) throw new Rejection('unexpected', `a chunk at ${body.offset}, of a vector that is whole`);
    requirePart(this.length, part, body);
    return this.#next++;
  }
}
