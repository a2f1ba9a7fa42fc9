import { tf } from '../engine/tensorflow.js';
import { BATCH_NORM_EPSILON, trainingBatchNorm } from '../engine/batch-norm.js';
import { SMALLEST_MAP } from './architecture.js';
import type { NetworkLayout } from './layout.js';
import { layerTensors } from './tensors.js';

export interface GeneratedImages {
  /** [batch, size, size, 3], in [-1, 1] */
  readonly images: tf.Tensor4D;
  /** Batch mean and unbiased variance of each batch-norm layer, in layout order. */
  readonly statistics: tf.Tensor1D[];
}

/** G(z) with the batch's own statistics, as in training. noise [batch, latent] */
export function generate(
  layout: NetworkLayout,
  parameters: readonly tf.Tensor[],
  noise: tf.Tensor2D,
): GeneratedImages {
  const statistics: tf.Tensor1D[] = [];
  const images = forward(layout, parameters, noise, (features, gamma, beta) => {
    const { output, mean, variance } = trainingBatchNorm(features, gamma, beta);
    statistics.push(mean, variance);
    return output;
  });
  return { images, statistics };
}

/** G(z) with the running statistics, as PyTorch's eval(): an image then depends on its own noise alone. */
export function generateFromRunningStatistics(
  layout: NetworkLayout,
  parameters: readonly tf.Tensor[],
  runningStatistics: readonly tf.Tensor[],
  noise: tf.Tensor2D,
): tf.Tensor4D {
  let next = 0;
  return forward(layout, parameters, noise, (features, gamma, beta) => {
    const mean = runningStatistics[next++] as tf.Tensor1D;
    const variance = runningStatistics[next++] as tf.Tensor1D;
    return tf.batchNorm(features, mean, variance, beta, gamma, BATCH_NORM_EPSILON);
  });
}

type Normalise = (features: tf.Tensor4D, gamma: tf.Tensor1D, beta: tf.Tensor1D) => tf.Tensor4D;

function forward(
  layout: NetworkLayout,
  parameters: readonly tf.Tensor[],
  noise: tf.Tensor2D,
  normalise: Normalise,
): tf.Tensor4D {
  const [projection, ...upsampling] = layerTensors(layout, parameters);
  const batch = noise.shape[0];

  // A transposed convolution of a 1 x 1 map is a matrix product: [batch, latent] -> [batch, 4, 4, channels]
  const projected = tf.matMul(noise, projection.kernel);
  let features: tf.Tensor4D = tf.reshape(projected, [
    batch,
    SMALLEST_MAP,
    SMALLEST_MAP,
    projection.outputChannels,
  ]);
  if (projection.norm) features = tf.relu(normalise(features, projection.norm.gamma, projection.norm.beta));

  for (const { kernel, norm, outputChannels } of upsampling) {
    // [batch, side, side, input] -> [batch, 2 * side, 2 * side, output]
    const side = 2 * features.shape[1];
    features = tf.conv2dTranspose(
      features,
      kernel as tf.Tensor4D,
      [batch, side, side, outputChannels],
      2,
      'same',
    );
    features = norm ? tf.relu(normalise(features, norm.gamma, norm.beta)) : tf.tanh(features);
  }
  return features;
}
