import { Matrix } from 'ml-matrix';

export interface Gaussian {
  /** [dimensions] */
  readonly mean: Float64Array;
  /** [dimensions, dimensions], symmetric. */
  readonly covariance: Matrix;
  /** R with R R' = covariance, where there are fewer points than dimensions. [dimensions, count] */
  readonly root?: Matrix;
}

/**
 * Mean and covariance (over count - 1) of points. `times` says how often each counts, as in a bootstrap sample; once
 * without it.
 *
 * points: [count, dimensions]; times: [count]
 */
export function fitGaussian(points: Float32Array, dimensions: number, times?: Uint32Array): Gaussian {
  const rows = points.length / dimensions;
  const total = times ? times.reduce((sum, each) => sum + each, 0) : rows;
  if (!Number.isInteger(rows) || total < 2)
    throw new RangeError(`${points.length} numbers are not two points or more of ${dimensions} dimensions`);
  const mean = new Float64Array(dimensions);
  for (let row = 0; row < rows; row++) {
    const weight = times ? times[row] : 1;
    for (let i = 0; i < dimensions; i++) mean[i] += (weight * points[row * dimensions + i]) / total;
  }
  const covariance = covarianceOf(points, mean, total, times);
  return rows < dimensions
    ? { mean, covariance, root: rootOf(points, mean, total, times) }
    : { mean, covariance };
}

/** The centred points themselves, scaled. */
function rootOf(
  points: Float32Array,
  mean: Float64Array,
  total: number,
  times: Uint32Array | undefined,
): Matrix {
  const root = new Matrix(mean.length, points.length / mean.length);
  for (let row = 0; row < root.columns; row++) {
    const scale = Math.sqrt((times ? times[row] : 1) / (total - 1));
    for (let i = 0; i < mean.length; i++) root.set(i, row, scale * (points[row * mean.length + i] - mean[i]));
  }
  return root;
}

function covarianceOf(
  points: Float32Array,
  mean: Float64Array,
  total: number,
  times: Uint32Array | undefined,
): Matrix {
  const dimensions = mean.length;
  // The lower triangle row by row, in one array: a bootstrap does this hundreds of times.
  const sums = new Float64Array(dimensions * dimensions);
  const centred = new Float64Array(dimensions);
  for (let offset = 0, row = 0; offset < points.length; offset += dimensions, row++) {
    const weight = times ? times[row] : 1;
    if (weight === 0) continue;
    for (let i = 0; i < dimensions; i++) centred[i] = points[offset + i] - mean[i];
    for (let i = 0; i < dimensions; i++) {
      const factor = weight * centred[i];
      const start = i * dimensions;
      for (let j = 0; j <= i; j++) sums[start + j] += factor * centred[j];
    }
  }
  const covariance = new Matrix(dimensions, dimensions);
  for (let i = 0; i < dimensions; i++)
    for (let j = 0; j <= i; j++) {
      const value = sums[i * dimensions + j] / (total - 1);
      covariance.set(i, j, value);
      covariance.set(j, i, value);
    }
  return covariance;
}
