// Registers the gradients of TensorFlow.js's ops.
import '@tensorflow/tfjs';
import * as tf from '@tensorflow/tfjs-core';
import {
  BATCH_NORM_EPSILON,
  registerBatchNormGradient,
  TRAINING_BATCH_NORM,
  TRAINING_BATCH_NORM_GRADIENT,
} from '../../src/engine/batch-norm.js';
import { startStockBackend } from '../../src/engine/wasm/index.js';

/**
 * What one gets without kernels of one's own: TensorFlow.js's WebAssembly backend as it comes, its gradients, its
 * moments and batchNorm, and the one kernel that training lacks, composed in the plain way.
 */
export async function loadNaive(): Promise<void> {
  tf.enableProdMode();
  await startStockBackend();
  registerBatchNormGradient();
  register(TRAINING_BATCH_NORM, batchNorm);
  register(TRAINING_BATCH_NORM_GRADIENT, batchNormGradient);
  register('Conv2DBackpropFilter', filterGradient);
}

function register(
  kernelName: string,
  compute: (inputs: never, attributes: never) => tf.Tensor | tf.Tensor[],
): void {
  tf.registerKernel({
    kernelName,
    backendName: 'wasm',
    kernelFunc: ({ inputs, attrs }) => tf.tidy(() => compute(inputs as never, attrs as never)),
  });
}

const ROWS = [0, 1, 2];

function batchNorm({
  features,
  gamma,
  beta,
}: Record<'features' | 'gamma' | 'beta', tf.Tensor4D>): tf.Tensor[] {
  const rows = features.size / features.shape[3];
  const { mean, variance } = tf.moments(features, ROWS);
  const output = tf.batchNorm(
    features,
    mean as tf.Tensor4D,
    variance as tf.Tensor4D,
    beta,
    gamma,
    BATCH_NORM_EPSILON,
  );
  return [output, mean, tf.mul(variance, rows / Math.max(rows - 1, 1)), mean.clone(), variance, tf.scalar(0)];
}

function batchNormGradient(
  inputs: Record<'outputGradient' | 'features' | 'gamma' | 'saved1' | 'saved2', tf.Tensor>,
): tf.Tensor[] {
  const { outputGradient, features, gamma, saved1: mean, saved2: variance } = inputs;
  const inverse = tf.rsqrt(tf.add(variance, BATCH_NORM_EPSILON));
  const normalised = tf.mul(tf.sub(features, mean), inverse);
  const forBeta = tf.sum(outputGradient, ROWS);
  const forGamma = tf.sum(tf.mul(outputGradient, normalised), ROWS);
  const rows = features.size / gamma.size;
  const throughStatistics = tf.div(tf.add(forBeta, tf.mul(normalised, forGamma)), rows);
  return [tf.mul(tf.sub(outputGradient, throughStatistics), tf.mul(inverse, gamma)), forGamma, forBeta];
}

/** One transposed matrix product for each place in the filter, of the pixels it sees. */
function filterGradient(
  { x, dy }: Record<'x' | 'dy', tf.Tensor4D>,
  { strides, pad, filterShape }: tf.Conv2DBackpropFilterAttrs,
): tf.Tensor {
  const shapes = tf.backend_util.computeConv2DInfo(x.shape, filterShape, strides, 1, pad);
  const { padInfo, batchSize, inChannels, outHeight, outWidth, outChannels } = shapes;
  const { strideHeight, strideWidth, filterHeight, filterWidth } = shapes;
  const positions = batchSize * outHeight * outWidth;
  const padded = tf.pad(x, [
    [0, 0],
    [padInfo.top, padInfo.bottom],
    [padInfo.left, padInfo.right],
    [0, 0],
  ]);
  const gradient: tf.Tensor2D = tf.reshape(dy, [positions, outChannels]);
  const places: tf.Tensor[] = [];
  for (let row = 0; row < filterHeight; row++)
    for (let column = 0; column < filterWidth; column++) {
      const end = [row + (outHeight - 1) * strideHeight + 1, column + (outWidth - 1) * strideWidth + 1];
      const seen = tf.stridedSlice(
        padded,
        [0, row, column, 0],
        [batchSize, ...end, inChannels],
        [1, strideHeight, strideWidth, 1],
      );
      places.push(tf.matMul(tf.reshape<tf.Rank.R2>(seen, [positions, inChannels]), gradient, true));
    }
  return tf.reshape(tf.stack(places), filterShape);
}
