import { tf } from './tensorflow.js';

/**
 * The gradients of the activations as one kernel each. TensorFlow.js composes them of masks and products, which reads
 * and writes a feature map several times over. Each engine registers the three kernels.
 */
export const RELU_GRADIENT = 'ReluGradient';
export const LEAKY_RELU_GRADIENT = 'LeakyReluGradient';
export const TANH_GRADIENT = 'TanhGradient';

export interface OutputGradientInputs {
  readonly outputGradient: tf.Tensor;
  /** Output of the activation. */
  readonly output: tf.Tensor;
}

export interface LeakyReluGradientInputs {
  readonly outputGradient: tf.Tensor;
  /** Input of the activation. */
  readonly features: tf.Tensor;
}

export interface LeakyReluGradientAttributes {
  readonly alpha: number;
}

/** Makes the gradients of relu, leakyRelu and tanh run those kernels. */
export function registerActivationGradients(): void {
  registerGradientOfOutput('Relu', RELU_GRADIENT);
  registerGradientOfOutput('Tanh', TANH_GRADIENT);
  tf.registerGradient({
    kernelName: 'LeakyRelu',
    inputsToSave: ['x'],
    gradFunc: (outputGradient, [features], attributes) => {
      const { alpha } = attributes as unknown as LeakyReluGradientAttributes;
      const inputs = { outputGradient: outputGradient as tf.Tensor, features };
      return { x: () => tf.engine().runKernel(LEAKY_RELU_GRADIENT, inputs, { alpha }) };
    },
  });
}

/** For activations whose slope their output tells. */
function registerGradientOfOutput(kernelName: string, gradientKernel: string): void {
  tf.registerGradient({
    kernelName,
    outputsToSave: [true],
    gradFunc: (outputGradient, [output]) => {
      const inputs = { outputGradient: outputGradient as tf.Tensor, output };
      return { x: () => tf.engine().runKernel(gradientKernel, inputs) };
    },
  });
}
