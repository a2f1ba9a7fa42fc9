import { tf } from './tensorflow.js';

/** PyTorch's default. */
export const BATCH_NORM_EPSILON = 1e-5;

/**
 * Batch norm with the batch's own statistics, as one kernel forward and one back. TensorFlow.js has batch norm only
 * with given statistics; composed of its ops, training would be a third slower. Each engine registers the two
 * kernels: `native` with TensorFlow's fused ops, `wasm` with passes of its own (wasm/batch-norm.ts).
 */
export const TRAINING_BATCH_NORM = 'TrainingBatchNorm';
export const TRAINING_BATCH_NORM_GRADIENT = 'TrainingBatchNormGradient';

/** Outputs of the forward kernel, in this order. `saved` is for the gradient only and differs by engine. */
export type ForwardOutputs = [
  output: tf.Tensor4D,
  mean: tf.Tensor1D,
  unbiasedVariance: tf.Tensor1D,
  ...saved: [tf.Tensor, tf.Tensor, tf.Tensor],
];

/** Outputs of the gradient kernel, in this order. */
export type GradientOutputs = [features: tf.Tensor4D, gamma: tf.Tensor1D, beta: tf.Tensor1D];

export interface NormalisedBatch {
  readonly output: tf.Tensor4D;
  /** [channels] */
  readonly mean: tf.Tensor1D;
  /** [channels], with Bessel's correction: what PyTorch's running variance is made of. */
  readonly variance: tf.Tensor1D;
}

/** features [batch, height, width, channels]; gamma, beta [channels]. Statistics pass no gradient. */
export function trainingBatchNorm(
  features: tf.Tensor4D,
  gamma: tf.Tensor1D,
  beta: tf.Tensor1D,
): NormalisedBatch {
  const [output, mean, variance] = runKernel(TRAINING_BATCH_NORM, {
    features,
    gamma,
    beta,
  }) as ForwardOutputs;
  return { output, mean, variance };
}

export function registerBatchNormGradient(): void {
  tf.registerGradient({
    kernelName: TRAINING_BATCH_NORM,
    inputsToSave: ['features', 'gamma'],
    outputsToSave: [false, false, false, true, true, true],
    gradFunc: (outputGradients, saved) => {
      const [outputGradient] = outputGradients as unknown as [tf.Tensor4D];
      const [features, gamma, saved1, saved2, saved3] = saved as [
        tf.Tensor,
        tf.Tensor,
        tf.Tensor,
        tf.Tensor,
        tf.Tensor,
      ];
      const inputs = { outputGradient, features, gamma, saved1, saved2, saved3 };
      const [forFeatures, forGamma, forBeta] = runKernel(
        TRAINING_BATCH_NORM_GRADIENT,
        inputs,
      ) as GradientOutputs;
      return { features: () => forFeatures, gamma: () => forGamma, beta: () => forBeta };
    },
  });
}

function runKernel(name: string, inputs: Record<string, tf.Tensor>): tf.Tensor[] {
  return tf.engine().runKernel(name, inputs);
}
