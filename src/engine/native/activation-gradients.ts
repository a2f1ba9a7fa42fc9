import { tf } from '../tensorflow.js';
import type { NodeJSKernelBackend } from '@tensorflow/tfjs-node-gpu/dist/nodejs_kernel_backend.js';
import type { TFEOpAttr } from '@tensorflow/tfjs-node-gpu/dist/tfjs_binding.js';
import {
  LEAKY_RELU_GRADIENT,
  RELU_GRADIENT,
  TANH_GRADIENT,
  type LeakyReluGradientAttributes,
  type LeakyReluGradientInputs,
  type OutputGradientInputs,
} from '../activation-gradients.js';

/** TensorFlow's own gradient ops of the activations, which TensorFlow.js does not use. */
export function registerActivationGradientKernels(backendName: string, backend: NodeJSKernelBackend): void {
  const { binding } = backend;
  const type: TFEOpAttr = {
    name: 'T',
    type: binding.TF_ATTR_TYPE,
    value: backend.getDTypeInteger('float32'),
  };
  tf.registerKernel({
    kernelName: RELU_GRADIENT,
    backendName,
    kernelFunc: ({ inputs }) => {
      const { outputGradient, output } = inputs as unknown as OutputGradientInputs;
      return backend.executeSingleOutput('ReluGrad', [type], [outputGradient, output]);
    },
  });
  tf.registerKernel({
    kernelName: TANH_GRADIENT,
    backendName,
    kernelFunc: ({ inputs }) => {
      const { outputGradient, output } = inputs as unknown as OutputGradientInputs;
      return backend.executeSingleOutput('TanhGrad', [type], [output, outputGradient]);
    },
  });
  tf.registerKernel({
    kernelName: LEAKY_RELU_GRADIENT,
    backendName,
    kernelFunc: ({ inputs, attrs }) => {
      const { outputGradient, features } = inputs as unknown as LeakyReluGradientInputs;
      const { alpha } = attrs as unknown as LeakyReluGradientAttributes;
      const slope: TFEOpAttr = { name: 'alpha', type: binding.TF_ATTR_FLOAT, value: alpha };
      return backend.executeSingleOutput('LeakyReluGrad', [type, slope], [outputGradient, features]);
    },
  });
}
