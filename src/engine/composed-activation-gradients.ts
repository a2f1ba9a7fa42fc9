import * as tf from '@tensorflow/tfjs-core';
import {
  LEAKY_RELU_GRADIENT,
  RELU_GRADIENT,
  TANH_GRADIENT,
  type LeakyReluGradientAttributes,
  type LeakyReluGradientInputs,
  type OutputGradientInputs,
} from './activation-gradients.js';

/** The activations' gradients of plain ops, for a backend without kernels for them. */
export function registerComposedActivationGradients(backendName: string): void {
  tf.registerKernel({
    kernelName: RELU_GRADIENT,
    backendName,
    kernelFunc: ({ inputs }) => {
      const { outputGradient, output } = inputs as unknown as OutputGradientInputs;
      return tf.tidy(() => tf.mul(outputGradient, tf.step(output)));
    },
  });
  tf.registerKernel({
    kernelName: TANH_GRADIENT,
    backendName,
    kernelFunc: ({ inputs }) => {
      const { outputGradient, output } = inputs as unknown as OutputGradientInputs;
      return tf.tidy(() => tf.mul(tf.sub(1, tf.square(output)), outputGradient));
    },
  });
  tf.registerKernel({
    kernelName: LEAKY_RELU_GRADIENT,
    backendName,
    kernelFunc: ({ inputs, attrs }) => {
      const { outputGradient, features } = inputs as unknown as LeakyReluGradientInputs;
      const { alpha } = attrs as unknown as LeakyReluGradientAttributes;
      return tf.tidy(() => tf.mul(outputGradient, tf.add(tf.mul(tf.step(features), 1 - alpha), alpha)));
    },
  });
}
