import { PART_FLOATS } from './summing-memory.js';
import { NUMBER_BYTES, type WireFormat } from './wire-format.js';

/** Kernels that round take so many numbers at a time; what is left over of a gradient stays as it is. */
const ROUNDED_AT_ONCE = 16;

/** Numbers of a part at most: a chunk of 1 MiB, since a message has costs besides its bytes. */
const MOST_NUMBERS: Readonly<Record<WireFormat, number>> = { fp32: PART_FLOATS, bf16: 2 * PART_FLOATS };

/** Least numbers of a part if many workers share the sums: 64 KiB as float32. */
const LEAST_NUMBERS = 16 * 1024;

/** A part of a phase's vector, which travels as one chunk and is summed as one. */
export interface Cut {
  /** Its number among the vector's parts. */
  readonly part: number;
  /** Index of its first number in the vector. */
  readonly offset: number;
  /** Count of numbers. */
  readonly length: number;
  /** Format of shards' vectors, partial sums and means. */
  readonly format: WireFormat;
  readonly bytes: number;
}

/** A phase's vector, as far as sums know it: it begins with a gradient, which alone is rounded. */
export interface VectorShape {
  readonly length: number;
  readonly gradientEnd: number;
  /** Workers that may share the sums: there are as many parts, unless they would be too small. */
  readonly shards?: number;
  readonly wire?: WireFormat | undefined;
}

/**
 * Cuts a vector into parts that are written one way each. In a run that rounds, what is behind the gradient, and up to
 * fifteen numbers of its end, are a part of their own.
 */
export function cutVector(
  { length, gradientEnd, shards = 1, wire = 'fp32' }: VectorShape,
  most = MOST_NUMBERS,
): Cut[] {
  const roundedEnd = wire === 'fp32' ? 0 : gradientEnd - (gradientEnd % ROUNDED_AT_ONCE);
  const fair = Math.max(LEAST_NUMBERS, ROUNDED_AT_ONCE * Math.ceil(length / shards / ROUNDED_AT_ONCE));
  const cuts: Cut[] = [];
  for (let offset = 0; offset < length; offset += cuts[cuts.length - 1].length) {
    const isRounded = offset < roundedEnd;
    const format = isRounded ? wire : 'fp32';
    const size = Math.min(most[format], fair, (isRounded ? roundedEnd : length) - offset);
    cuts.push({ part: cuts.length, offset, length: size, format, bytes: size * NUMBER_BYTES[format] });
  }
  return cuts;
}
