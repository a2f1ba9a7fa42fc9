import { tf } from '../tensorflow.js';
import type { NodeJSKernelBackend } from '@tensorflow/tfjs-node-gpu/dist/nodejs_kernel_backend.js';
import type { TFEOpAttr } from '@tensorflow/tfjs-node-gpu/dist/tfjs_binding.js';

const KERNEL = 'Conv2DBackpropFilter';

/** Registered by kernels/filter_gradient_op.cc. */
const OPERATION = 'BlockedConv2DBackpropFilter';

/** Multiple of input channels that kernels/filter_gradient.h requires. */
const INPUT_BLOCK = 16;

/**
 * Returns whether a processor computes filter gradients faster by our kernel (kernels/filter_gradient.cc) than by oneDNN's.
 * On AVX2 oneDNN's is its slowest convolution, at two thirds of the others' rate; on AVX512 it has a better one.
 */
export function isFasterHere(features: readonly string[]): boolean {
  const has = new Set(features);
  return has.has('avx2') && has.has('fma') && !has.has('avx512f');
}

/** Puts our kernel in the place of the backend's. */
export function registerFilterGradient(backendName: string, backend: NodeJSKernelBackend): void {
  const stock = tf.getKernel(KERNEL, backendName);
  tf.unregisterKernel(KERNEL, backendName);
  tf.registerKernel(filterGradientKernel(stock, backend));
}

/** Our kernel, with the stock one for shapes that it does not take. */
export function filterGradientKernel(stock: tf.KernelConfig, backend: NodeJSKernelBackend): tf.KernelConfig {
  return {
    ...stock,
    kernelFunc: (call) => {
      const { x, dy } = call.inputs as { x: tf.Tensor4D; dy: tf.Tensor4D };
      const attributes = call.attrs as unknown as tf.Conv2DBackpropFilterAttrs;
      if (attributes.dataFormat !== 'NHWC' || x.shape[3] % INPUT_BLOCK !== 0) return stock.kernelFunc(call);
      return backend.executeSingleOutput(OPERATION, attributesOf(backend, x, attributes), [x, dy]);
    },
  };
}

function attributesOf(
  { binding }: NodeJSKernelBackend,
  x: tf.Tensor4D,
  { filterShape, strides, pad, dimRoundingMode }: tf.Conv2DBackpropFilterAttrs,
): TFEOpAttr[] {
  const shapes = tf.backend_util.computeConv2DInfo(x.shape, filterShape, strides, 1, pad, dimRoundingMode);
  const { strideHeight, strideWidth, padInfo } = shapes;
  const list = (name: string, value: number[]): TFEOpAttr => ({ name, type: binding.TF_ATTR_INT, value });
  return [
    list('filter_shape', filterShape),
    list('strides', [strideHeight, strideWidth]),
    list('padding', [padInfo.top, padInfo.left]),
  ];
}
