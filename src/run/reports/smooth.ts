/**
 * TensorBoard's smoothing: an exponential moving average, divided by the weight that it has so far, so that it does not
 * begin at 0. `weight` 0: the values themselves; near 1: very smooth. What is not finite is left out of the average.
 */
export function smooth(values: readonly number[], weight: number): number[] {
  let last = 0;
  let total = 0;
  return values.map((value) => {
    if (!Number.isFinite(value)) return value;
    last = last * weight + value * (1 - weight);
    total = total * weight + (1 - weight);
    return last / total;
  });
}
