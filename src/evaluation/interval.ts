/** A 95 % confidence interval. */
export type Interval = readonly [low: number, high: number];

/** The standard normal distribution has 95 % of its mass between -Z and Z. */
export const Z = 1.959963984540054;
