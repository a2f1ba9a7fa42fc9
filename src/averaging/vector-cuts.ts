import { PART_FLOATS } from './summing-memory.js';
import { writtenBytes, type NumberFormat, type WireFormat } from './wire-format.js';

/** Kernels that round take so many numbers at a time; what is left over of a gradient stays as it is. */
const ROUNDED_AT_ONCE = 16;

/**
 * Numbers of a part: a chunk of 1 MiB, since what a message costs besides its bytes is as much for fewer of them. Those of
 * int8 become float32 where they are added.
 */
const MOST_NUMBERS: Readonly<Record<NumberFormat, number>> = {
  fp32: PART_FLOATS,
  bf16: 2 * PART_FLOATS,
  int8: PART_FLOATS,
};

/** Of a part that is as small because many share the sums: 64 KiB as float32. */
const LEAST_NUMBERS = 16 * 1024;

/** How a part of a vector is written, and how many bytes that takes. */
export interface Written {
  readonly format: NumberFormat;
  readonly bytes: number;
}

/** A part of a phase's vector, which travels as one chunk and is summed as one. */
export interface Cut {
  /** Its number among the vector's. */
  readonly part: number;
  /** Of its first number in the vector. */
  readonly offset: number;
  /** Numbers. */
  readonly length: number;
  /** Of a shard's vector, or of a partial sum. */
  readonly operand: Written;
  readonly mean: Written;
}

/** How the parts of an operand are written, one after the other; and those of a mean. */
export function writtenParts(
  cuts: readonly Cut[],
  of: 'operand' | 'mean',
): (Written & { readonly offset: number })[] {
  return cuts.map((cut) => ({ offset: cut.offset, ...cut[of] }));
}

/** A phase's vector, as far as sums know it: it begins with a gradient, which alone is rounded. */
export interface VectorShape {
  readonly length: number;
  readonly gradientEnd: number;
  /** So many workers may share the sums: there are as many parts, if those are not too small for it. */
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
    const written = (as: NumberFormat): Written => ({ format: as, bytes: writtenBytes(as, size) });
    const mean = written(format === 'int8' ? 'bf16' : format);
    cuts.push({ part: cuts.length, offset, length: size, operand: written(format), mean });
  }
  return cuts;
}
