// V8 runs these twice as fast four elements at a time as one by one: they are what a step's average waits for.

/** sum[i] += values[i], in float32. */
export function add(sum: Float32Array, values: Float32Array): void {
  const { length } = sum;
  let i = 0;
  for (; i + 4 <= length; i += 4) {
    sum[i] += values[i];
    sum[i + 1] += values[i + 1];
    sum[i + 2] += values[i + 2];
    sum[i + 3] += values[i + 3];
  }
  for (; i < length; i++) sum[i] += values[i];
}

/**
 * sum[i] = (sum[i] + values[i]) / divisor, both operations in float32. Returns the sum of the squares of what comes
 * out, which is not finite where any element is not.
 */
export function addAndDivide(sum: Float32Array, values: Float32Array, divisor: number): number {
  const { length } = sum;
  let squares0 = 0;
  let squares1 = 0;
  let squares2 = 0;
  let squares3 = 0;
  let i = 0;
  for (; i + 4 <= length; i += 4) {
    const mean0 = Math.fround(Math.fround(sum[i] + values[i]) / divisor);
    const mean1 = Math.fround(Math.fround(sum[i + 1] + values[i + 1]) / divisor);
    const mean2 = Math.fround(Math.fround(sum[i + 2] + values[i + 2]) / divisor);
    const mean3 = Math.fround(Math.fround(sum[i + 3] + values[i + 3]) / divisor);
    sum[i] = mean0;
    sum[i + 1] = mean1;
    sum[i + 2] = mean2;
    sum[i + 3] = mean3;
    squares0 += mean0 * mean0;
    squares1 += mean1 * mean1;
    squares2 += mean2 * mean2;
    squares3 += mean3 * mean3;
  }
  for (; i < length; i++) {
    const mean = Math.fround(Math.fround(sum[i] + values[i]) / divisor);
    sum[i] = mean;
    squares0 += mean * mean;
  }
  return squares0 + squares1 + squares2 + squares3;
}
