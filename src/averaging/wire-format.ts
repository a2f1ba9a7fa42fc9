/**
 * How gradients are written on the wire, an option of the run: what is written in fewer bits is rounded, at places that
 * the order of sums names, so that the result does not depend on who sends what to whom.
 *
 * fp32: as they are computed.
 * bf16: each shard's gradient, each partial sum and the mean, rounded to bfloat16, the upper half of a float32.
 */
export const WIRE_FORMATS = ['fp32', 'bf16'] as const;
export type WireFormat = (typeof WIRE_FORMATS)[number];

/** How a part of a vector is written. */
export type NumberFormat = WireFormat;

export const BYTES_OF_NUMBER = { fp32: 4, bf16: 2 } as const satisfies Record<NumberFormat, number>;
