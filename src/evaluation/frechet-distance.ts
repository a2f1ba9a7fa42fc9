import { CholeskyDecomposition, EigenvalueDecomposition, Matrix } from 'ml-matrix';
import type { Gaussian } from './gaussian.js';

/**
 * The Fréchet distance of two Gaussians, squared, as "Fréchet inception distance" reports it (Heusel et al. 2017):
 *
 *     |m - n|² + tr(A + B - 2 (A B)^(1/2))
 *
 * (A B)^(1/2) has the trace of (R' B R)^(1/2) with any R R' = A. That matrix is symmetric, so that its eigenvalues are
 * real and need no root of a matrix that has none, as A B may where there are fewer points than dimensions.
 */
export function frechetDistance(one: Gaussian, other: Gaussian): number {
  const means = one.mean.reduce((sum, value, i) => sum + (value - other.mean[i]) ** 2, 0);
  const root = one.root ?? rootOfMatrix(one.covariance);
  const product = symmetric(root.transpose().mmul(other.covariance).mmul(root));
  const overlap = eigen(product).realEigenvalues.reduce((sum, value) => sum + rootOf(value), 0);
  const distance = means + one.covariance.trace() + other.covariance.trace() - 2 * overlap;
  // Of two that are the same, rounding leaves a little on either side of 0.
  return Math.max(0, distance);
}

/** An R with R R' = A. Cholesky's costs a tenth of the other, and is not there where A has no inverse. */
function rootOfMatrix(matrix: Matrix): Matrix {
  const cholesky = new CholeskyDecomposition(matrix);
  return cholesky.isPositiveDefinite() ? cholesky.lowerTriangularMatrix : squareRoot(matrix);
}

/** Square root of a symmetric positive semidefinite matrix. */
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
