export interface Moments {
  readonly mean: number;
  readonly deviation: number;
  /** 0 for a normal distribution. */
  readonly skewness: number;
  /** 3 for a normal distribution. */
  readonly kurtosis: number;
}

export function moments(values: Float32Array): Moments {
  const central = (order: number, around: number): number =>
    values.reduce((sum, value) => sum + (value - around) ** order, 0) / values.length;
  const mean = central(1, 0);
  const deviation = Math.sqrt(central(2, mean));
  return {
    mean,
    deviation,
    skewness: central(3, mean) / deviation ** 3,
    kurtosis: central(4, mean) / deviation ** 4,
  };
}
