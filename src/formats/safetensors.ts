import type { Slot } from '../model/layout.js';

/** Format of this project's checkpoints. Its number changes when one version cannot read the files of another. */
export const CHECKPOINT_FORMAT_NAME = 'dcgan-trainer';
export const CHECKPOINT_FORMAT = `${CHECKPOINT_FORMAT_NAME} 2`;

/**
 * The safetensors format: 8 bytes that say how long the header is, a header in JSON that names every tensor, the
 * tensors without gaps. https://github.com/huggingface/safetensors#format
 */
const FLOAT = Float32Array.BYTES_PER_ELEMENT;

/** The format's own limit for a header. */
const MAX_HEADER_BYTES = 100_000_000;

export type Metadata = Readonly<Record<string, string>>;

/** A tensor of a file, of any type. `start` and `end` are bytes behind the header. */
export interface StoredTensor {
  readonly name: string;
  /** F32, I64, ... */
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly start: number;
  readonly end: number;
}

export interface StoredTensors {
  readonly metadata: Metadata;
  /** In the file's order. */
  readonly tensors: readonly StoredTensor[];
  /** Start of the tensors, and their bytes. */
  readonly start: number;
  readonly bytes: number;
}

export interface SafetensorsHeader extends Omit<StoredTensors, 'tensors'> {
  readonly tensors: readonly Slot[];
}

/** Everything of a file of float32 tensors but the tensors. */
export function encodeHeader(tensors: readonly Slot[], metadata: Metadata): Uint8Array {
  const stored = tensors.map(({ name, shape, offset, size }) => ({
    ...{ name, dtype: 'F32', shape, start: offset * FLOAT, end: (offset + size) * FLOAT },
  }));
  return encodeStored(stored, metadata);
}

/** Everything of a file but the tensors, which lie one after the other. */
export function encodeStored(tensors: readonly StoredTensor[], metadata: Metadata): Uint8Array {
  const entries = tensors.map(({ name, dtype, shape, start, end }) => [
    name,
    { dtype, shape, data_offsets: [start, end] },
  ]);
  const json = JSON.stringify({ __metadata__: metadata, ...Object.fromEntries(entries) });
  // Spaces at the end align the tensors to 8 bytes.
  const text = Buffer.from(
    json.padEnd(Math.ceil(Buffer.byteLength(json) / 8) * 8 - Buffer.byteLength(json) + json.length),
  );
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([length, text]);
}

/** The length that the first 8 bytes of a file give its header, or undefined if that is impossible. */
export function headerLength(first8: Buffer): number | undefined {
  const length = first8.length === 8 ? Number(first8.readBigUInt64LE()) : 0;
  return length > 0 && length <= MAX_HEADER_BYTES ? length : undefined;
}

/** Throws where the JSON is no header of float32 tensors that lie one after the other. */
export function decodeHeader(json: Buffer): SafetensorsHeader {
  const { tensors, ...rest } = decodeStored(json);
  const slots = tensors.map(({ name, dtype, shape, start, end }): Slot => {
    const size = shape.reduce((product, side) => product * side, 1);
    if (dtype !== 'F32' || end - start !== size * FLOAT) throw new Error(`tensor ${name} is misplaced`);
    return { name, shape, offset: start / FLOAT, size };
  });
  return { ...rest, tensors: slots };
}

/** Throws where the JSON is no header of tensors that lie one after the other. */
export function decodeStored(json: Buffer): StoredTensors {
  const parsed = JSON.parse(json.toString('utf8')) as Record<string, unknown>;
  const { __metadata__: metadata = {}, ...entries } = parsed;
  const tensors = Object.entries(entries)
    .map(([name, entry]): StoredTensor => {
      const { dtype, shape, data_offsets: place } = entry as Record<string, unknown>;
      if (typeof dtype !== 'string' || !areSizes(shape) || !areSizes(place) || place.length !== 2)
        throw new Error(`tensor ${name} is not described`);
      return { name, dtype, shape, start: place[0], end: place[1] };
    })
    .sort((one, other) => one.start - other.start || one.end - other.end);
  let next = 0;
  for (const { name, start, end } of tensors) {
    if (start !== next || end < start) throw new Error(`tensor ${name} is misplaced`);
    next = end;
  }
  return { metadata: metadata as Metadata, tensors, start: 8 + json.length, bytes: next };
}

function areSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((each) => Number.isSafeInteger(each) && each >= 0);
}
