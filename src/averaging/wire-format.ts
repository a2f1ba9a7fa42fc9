/**
 * Number formats of gradients on the wire, an option of the run. Rounding happens at places that the order of sums names,
 * so that the result does not depend on which worker sends what.
 *
 * fp32: as computed.
 * bf16: each shard's gradient, each partial sum and the mean, rounded to bfloat16, the upper half of a float32.
 */
export const WIRE_FORMATS = ['fp32', 'bf16'] as const;
export type WireFormat = (typeof WIRE_FORMATS)[number];

/** Bytes of a number in each format. */
export const NUMBER_BYTES: Readonly<Record<WireFormat, number>> = { fp32: 4, bf16: 2 };
