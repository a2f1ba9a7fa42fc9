import { createRequire } from 'node:module';
import util from 'node:util';
import { tf } from '../tensorflow.js';
import type { NodeJSKernelBackend } from '@tensorflow/tfjs-node-gpu/dist/nodejs_kernel_backend.js';
import { lackOfBfloat16 } from '../bfloat16-support.js';
import { PRECISIONS, type Engine } from '../engine.js';
import { processorFeatures } from '../processor.js';
import { registerActivationGradientKernels } from './activation-gradients.js';
import { isFasterHere, registerFilterGradient } from './filter-gradient.js';
import { registerFusedBatchNorm } from './fused-batch-norm.js';

/** The name under which TensorFlow.js knows it. */
const NATIVE_BACKEND = 'tensorflow';

const TFJS_NODE = '@tensorflow/tfjs-node-gpu';

/** Loads libtensorflow into this process by tfjs-node's binding, and makes it TensorFlow.js's backend. */
export function loadNative(bindingPath: string): Engine {
  shimForNode23();
  const require = createRequire(import.meta.url);
  // tfjs-node asks it for the place of its binding. A file there could be written only by the owner of node_modules.
  const ofPackage = createRequire(require.resolve(TFJS_NODE));
  const finder = ofPackage('@mapbox/node-pre-gyp/lib/pre-binding.js') as { find: () => string };
  finder.find = () => bindingPath;
  require(TFJS_NODE);
  const backend = nativeBackend();
  registerFusedBatchNorm(NATIVE_BACKEND, backend);
  registerActivationGradientKernels(NATIVE_BACKEND, backend);
  const device = backend.isUsingGpuDevice ? 'gpu' : 'cpu';
  if (device === 'cpu' && isFasterHere(processorFeatures())) registerFilterGradient(NATIVE_BACKEND, backend);
  return {
    name: 'native',
    version: backend.binding.TF_Version,
    device,
    precisions: lackOfBfloat16(device) === undefined ? PRECISIONS : ['fp32'],
  };
}

/** The backend that loadNative() made. */
export function nativeBackend(): NodeJSKernelBackend {
  return tf.backend() as NodeJSKernelBackend;
}

/** tfjs-node 4.22 calls a function that Node 23 removed. */
function shimForNode23(): void {
  const old = util as { isNullOrUndefined?: (value: unknown) => boolean };
  old.isNullOrUndefined ??= (value) => value === null || value === undefined;
}
