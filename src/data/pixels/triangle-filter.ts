/** Weights are fixed-point numbers of so many bits, as in Pillow: 8 bits of pixel times 22 fit into 32. */
const PRECISION = 22;

/** For each pixel of the result: which source pixels it takes (`counts` from `starts`), and how much of each. */
export interface Filter {
  readonly starts: Int32Array;
  readonly counts: Int32Array;
  /** [result pixels, stride] */
  readonly weights: Int32Array;
  readonly stride: number;
}

/**
 * Pillow's antialiased bilinear filter for `length` result pixels from `offset`. `scale` is source pixels for one of
 * the result.
 */
export function triangleFilter(sourceLength: number, scale: number, offset: number, length: number): Filter {
  const support = Math.max(scale, 1); // Enlarging is plain bilinear.
  const stride = Math.ceil(support) * 2 + 1;
  const starts = new Int32Array(length);
  const counts = new Int32Array(length);
  const weights = new Int32Array(length * stride);
  const exact = new Float64Array(stride);
  for (let i = 0; i < length; i++) {
    const centre = (offset + i + 0.5) * scale;
    const start = Math.max(0, Math.trunc(centre - support + 0.5));
    const count = Math.min(sourceLength, Math.trunc(centre + support + 0.5)) - start;
    let sum = 0;
    for (let tap = 0; tap < count; tap++) {
      exact[tap] = Math.max(0, 1 - Math.abs((start + tap - centre + 0.5) * (1 / support)));
      sum += exact[tap];
    }
    for (let tap = 0; tap < count; tap++) {
      weights[i * stride + tap] = Math.trunc(0.5 + (exact[tap] / sum) * (1 << PRECISION));
    }
    starts[i] = start;
    counts[i] = count;
  }
  return { starts, counts, weights, stride };
}
