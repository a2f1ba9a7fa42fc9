import { tf } from '../tensorflow.js';
import {
  LEAKY_RELU_GRADIENT,
  RELU_GRADIENT,
  TANH_GRADIENT,
  type LeakyReluGradientAttributes,
  type LeakyReluGradientInputs,
  type OutputGradientInputs,
} from '../activation-gradients.js';
import { override, register, type Inputs } from './register.js';
import type { Toolbox } from './toolbox.js';

/** leakyRelu, and the gradients of relu, leakyRelu and tanh. The backend's own relu and tanh do. */
export function registerActivations({ heap, kernels }: Toolbox): void {
  const leak = (gradient: tf.TensorInfo, features: tf.TensorInfo, slope: number): tf.TensorInfo => {
    const output = heap.output(gradient.shape);
    kernels.leak(
      heap.address(gradient),
      heap.address(features),
      heap.address(output),
      tf.util.sizeFromShape(gradient.shape),
      slope,
    );
    return output;
  };

  override(
    'LeakyRelu',
    ({ x }: Inputs<'x'>) => x.dtype === 'float32',
    ({ x }: Inputs<'x'>, { alpha }: tf.LeakyReluAttrs) => leak(x, x, alpha),
  );
  register(
    LEAKY_RELU_GRADIENT,
    ({ outputGradient, features }: LeakyReluGradientInputs, { alpha }: LeakyReluGradientAttributes) =>
      leak(outputGradient, features, alpha),
  );
  register(RELU_GRADIENT, ({ outputGradient, output }: OutputGradientInputs) =>
    leak(outputGradient, output, 0),
  );
  register(TANH_GRADIENT, ({ outputGradient, output }: OutputGradientInputs) => {
    const gradient = heap.output(output.shape);
    kernels.tanhGradient(
      heap.address(outputGradient),
      heap.address(output),
      heap.address(gradient),
      output.size,
    );
    return gradient;
  });
}
