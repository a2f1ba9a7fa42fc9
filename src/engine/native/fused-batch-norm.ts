import { tf } from '../tensorflow.js';
import type { NodeJSKernelBackend } from '@tensorflow/tfjs-node-gpu/dist/nodejs_kernel_backend.js';
import type { TFEOpAttr } from '@tensorflow/tfjs-node-gpu/dist/tfjs_binding.js';
import { BATCH_NORM_EPSILON, TRAINING_BATCH_NORM, TRAINING_BATCH_NORM_GRADIENT } from '../batch-norm.js';

/** TensorFlow's FusedBatchNormV3 and its gradient, which TensorFlow.js has no op for. */
export function registerFusedBatchNorm(backendName: string, backend: NodeJSKernelBackend): void {
  const { binding } = backend;
  const float32 = backend.getDTypeInteger('float32');
  const attributes: TFEOpAttr[] = [
    { name: 'T', type: binding.TF_ATTR_TYPE, value: float32 },
    { name: 'U', type: binding.TF_ATTR_TYPE, value: float32 },
    { name: 'epsilon', type: binding.TF_ATTR_FLOAT, value: BATCH_NORM_EPSILON },
    { name: 'data_format', type: binding.TF_ATTR_STRING, value: 'NHWC' },
    { name: 'is_training', type: binding.TF_ATTR_BOOL, value: true },
  ];
  tf.registerKernel({
    kernelName: TRAINING_BATCH_NORM,
    backendName,
    kernelFunc: ({ inputs }) => {
      const { features, gamma, beta } = inputs as Record<'features' | 'gamma' | 'beta', tf.Tensor>;
      // In training the op reads no running statistics: they are given empty.
      const none = tf.tensor1d([], 'float32');
      const outputs = backend.executeMultipleOutputs(
        'FusedBatchNormV3',
        attributes,
        [features, gamma, beta, none, none],
        6,
      );
      none.dispose();
      return outputs;
    },
  });
  tf.registerKernel({
    kernelName: TRAINING_BATCH_NORM_GRADIENT,
    backendName,
    kernelFunc: ({ inputs }) => {
      const { outputGradient, features, gamma, saved1, saved2, saved3 } = inputs as Record<string, tf.Tensor>;
      const operands = [outputGradient, features, gamma, saved1, saved2, saved3] as tf.Tensor[];
      const outputs = backend.executeMultipleOutputs('FusedBatchNormGradV3', attributes, operands, 5);
      const [forFeatures, forGamma, forBeta, ...unused] = outputs;
      tf.dispose(unused);
      return [forFeatures, forGamma, forBeta];
    },
  });
}
