import type { Slot } from '../../model/layout.js';

/**
 * The safetensors format: 8 bytes that say how long the header is, a header in JSON that names every tensor, the
 * tensors without gaps. https://github.com/huggingface/safetensors#format
 */
const FLOAT = Float32Array.BYTES_PER_ELEMENT;

/** The format's own limit for a header. */
const MAX_HEADER_BYTES = 100_000_000;

export type Metadata = Readonly<Record<string, string>>;

export interface SafetensorsHeader {
  readonly metadata: Metadata;
  /** In the file's order. */
  readonly tensors: readonly Slot[];
  /** Where the tensors begin, and how many bytes they have. */
  readonly start: number;
  readonly bytes: number;
}

/** Everything of a file of float32 tensors but the tensors. */
export function encodeHeader(tensors: readonly Slot[], metadata: Metadata): Uint8Array {
  const entries = tensors.map(({ name, shape, offset, size }) => [
    name,
    { dtype: 'F32', shape, data_offsets: [offset * FLOAT, (offset + size) * FLOAT] },
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

/** The length that the first 8 bytes of a file give its header, or undefined where that cannot be. */
export function headerLength(first8: Buffer): number | undefined {
  const length = first8.length === 8 ? Number(first8.readBigUInt64LE()) : 0;
  return length > 0 && length <= MAX_HEADER_BYTES ? length : undefined;
}

/** Throws where the JSON is no header of float32 tensors that lie one after the other. */
export function decodeHeader(json: Buffer): SafetensorsHeader {
  const parsed = JSON.parse(json.toString('utf8')) as Record<string, unknown>;
  const { __metadata__: metadata = {}, ...entries } = parsed;
  let next = 0;
  const tensors = Object.entries(entries)
    .map(([name, entry]) => ({
      name,
      ...(entry as { dtype: string; shape: number[]; data_offsets: [number, number] }),
    }))
    .sort((one, other) => one.data_offsets[0] - other.data_offsets[0])
    .map(({ name, dtype, shape, data_offsets: [start, end] }): Slot => {
      const size = shape.reduce((product, side) => product * side, 1);
      if (dtype !== 'F32' || start !== next || end - start !== size * FLOAT)
        throw new Error(`tensor ${name} is misplaced`);
      next = end;
      return { name, shape, offset: start / FLOAT, size };
    });
  return { metadata: metadata as Metadata, tensors, start: 8 + json.length, bytes: next };
}
