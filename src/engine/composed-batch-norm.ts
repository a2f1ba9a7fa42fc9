import * as tf from '@tensorflow/tfjs-core';
import {
  BATCH_NORM_EPSILON,
  TRAINING_BATCH_NORM,
  TRAINING_BATCH_NORM_GRADIENT,
  type ForwardOutputs,
  type GradientOutputs,
} from './batch-norm.js';

interface ForwardInputs {
  readonly features: tf.Tensor4D;
  readonly gamma: tf.Tensor1D;
  readonly beta: tf.Tensor1D;
}

interface GradientInputs {
  readonly outputGradient: tf.Tensor4D;
  readonly features: tf.Tensor4D;
  readonly gamma: tf.Tensor1D;
  /** Normalised features [rows, channels], and 1 / deviation [1, channels]. */
  readonly saved1: tf.Tensor2D;
  readonly saved2: tf.Tensor2D;
}

/**
 * Batch norm of plain ops, for a backend without a fused kernel. Sums over rows are matrix products with ones:
 * the WebAssembly backend's matMul is an order of magnitude faster than its reductions.
 */
export function registerComposedBatchNorm(backendName: string): void {
  tf.registerKernel({
    kernelName: TRAINING_BATCH_NORM,
    backendName,
    kernelFunc: ({ inputs }) => forward(inputs as unknown as ForwardInputs),
  });
  tf.registerKernel({
    kernelName: TRAINING_BATCH_NORM_GRADIENT,
    backendName,
    kernelFunc: ({ inputs }) => gradient(inputs as unknown as GradientInputs),
  });
}

function forward({ features, gamma, beta }: ForwardInputs): ForwardOutputs {
  return tf.tidy((): ForwardOutputs => {
    const { shape } = features;
    const channels = shape[3];
    const rows = features.size / channels;
    const flat: tf.Tensor2D = tf.reshape(features, [rows, channels]);
    const mean = tf.div(sumOverRows(flat), rows);
    const centred: tf.Tensor2D = tf.sub(flat, mean);
    const squares = sumOverRows(tf.square(centred));
    const inverseDeviation: tf.Tensor2D = tf.rsqrt(tf.add(tf.div(squares, rows), BATCH_NORM_EPSILON));
    const normalised: tf.Tensor2D = tf.mul(centred, inverseDeviation);
    return [
      tf.reshape(tf.add(tf.mul(normalised, gamma), beta), shape),
      tf.reshape(mean, [channels]),
      tf.reshape(tf.div(squares, Math.max(rows - 1, 1)), [channels]),
      normalised,
      inverseDeviation,
      tf.scalar(0),
    ];
  });
}

function gradient({ outputGradient, features, gamma, saved1, saved2 }: GradientInputs): GradientOutputs {
  return tf.tidy((): GradientOutputs => {
    const [rows, channels] = saved1.shape;
    const flat: tf.Tensor2D = tf.reshape(outputGradient, [rows, channels]);
    const forBeta = sumOverRows(flat);
    const forGamma = sumOverRows(tf.mul(flat, saved1));
    // Ioffe and Szegedy 2015, section 3, with the terms gathered.
    const throughStatistics = tf.div(tf.add(forBeta, tf.mul(saved1, forGamma)), rows);
    const forFeatures = tf.mul(tf.sub(flat, throughStatistics), tf.mul(saved2, gamma));
    return [
      tf.reshape(forFeatures, features.shape),
      tf.reshape(forGamma, [channels]),
      tf.reshape(forBeta, [channels]),
    ];
  });
}

/** [rows, channels] -> [1, channels] */
function sumOverRows(matrix: tf.Tensor2D): tf.Tensor2D {
  return tf.matMul(tf.ones([1, matrix.shape[0]]), matrix);
}
