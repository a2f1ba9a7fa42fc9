import { EigenvalueDecomposition, Matrix } from 'ml-matrix';
import type { Gaussian } from './gaussian.js';

/**
 * The Fréchet distance of two Gaussians, squared, as "Fréchet inception distance" reports it (Heusel et al. 2017):
 *
 *     |m - n|² + tr(A + B - 2 (A B)^(1/2))
 *
 * (A B)^(1/2) has the trace of (A^(1/2) B A^(1/2))^(1/2). That matrix is symmetric, so that its eigenvalues are real and
 * need no root of a matrix that has none, as A B may where there are fewer points than dimensions.
 */
export function frechetDistance(one: Gaussian, other: Gaussian): number {
  const means = one.mean.reduce((sum, value, i) => sum + (value - other.mean[i]) ** 2, 0);
  const root = squareRoot(one.covariance);
  const product = symmetric(root.mmul(other.covariance).mmul(root));
  const overlap = eigen(product).realEigenvalues.reduce((sum, value) => sum + rootOf(value), 0);
  const distance = means + one.covariance.trace() + other.covariance.trace() - 2 * overlap;
  // Of two that are the same, rounding leaves a little on either side of 0.
  return Math.max(0, distance);
}

/** Of a symmetric matrix without negative eigenvalues. */
function squareRoot(matrix: Matrix): Matrix {
  const { eigenvectorMatrix: vectors, realEigenvalues } = eigen(matrix);
  const scaled = Matrix.mul(vectors, 1).mulRowVector(realEigenvalues.map(rootOf));
  return scaled.mmul(vectors.transpose());
}

function eigen(matrix: Matrix): EigenvalueDecomposition {
  return new EigenvalueDecomposition(matrix, { assumeSymmetric: true });
}

/** Takes off what rounding has made unequal. */
function symmetric(matrix: Matrix): Matrix {
  return Matrix.add(matrix, matrix.transpose()).mul(0.5);
}

/** Rounding may take an eigenvalue of 0 below it. */
function rootOf(eigenvalue: number): number {
  return Math.sqrt(Math.max(0, eigenvalue));
}
