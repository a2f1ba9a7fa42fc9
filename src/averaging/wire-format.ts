/**
 * How gradients are written on the wire, an option of the run: what is written in fewer bits is rounded, at places that
 * the order of sums names, so that the result does not depend on who sends what to whom.
 *
 * fp32: as they are computed.
 * bf16: each shard's gradient, each partial sum and the mean, rounded to bfloat16, the upper half of a float32.
 * int8: each shard's gradient as integers of 8 bits with a scale for each block, and what that leaves of it is added to
 * the shard's next one; the mean as with bf16. Sums are not sent: all vectors come to one place.
 */
export const WIRE_FORMATS = ['fp32', 'bf16', 'int8'] as const;
export type WireFormat = (typeof WIRE_FORMATS)[number];

/** How a part of a vector is written. */
export type NumberFormat = WireFormat;

/**
 * Numbers that share a scale in int8. For each 4,096 it costs a thousandth more bytes, and keeps small gradients of one
 * layer from being rounded to nothing beside large ones of another.
 */
export const SCALE_BLOCK = 4096;

/** Of so many numbers. */
export function writtenBytes(format: NumberFormat, numbers: number): number {
  switch (format) {
    case 'fp32':
      return 4 * numbers;
    case 'bf16':
      return 2 * numbers;
    case 'int8':
      return scaleBytes(numbers) + numbers;
  }
}

/** The scales come first, in float32. */
export function scaleBytes(numbers: number): number {
  return 4 * Math.ceil(numbers / SCALE_BLOCK);
}
