import { createRequire } from 'node:module';
import { dirname, sep } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { setThreadsCount, setWasmPaths, version_wasm } from '@tensorflow/tfjs-backend-wasm';
import { registerComposedActivationGradients } from './composed-activation-gradients.js';
import { registerComposedBatchNorm } from './composed-batch-norm.js';
import { registerConvolutionFilterGradient } from './convolution-filter-gradient.js';
import type { Engine } from './engine.js';

const BACKEND = 'wasm';

/** Makes the WebAssembly backend TensorFlow.js's, with the kernels it lacks for training. */
export async function loadWasm(): Promise<Engine> {
  const require = createRequire(import.meta.url);
  setWasmPaths(
    dirname(require.resolve('@tensorflow/tfjs-backend-wasm/wasm-out/tfjs-backend-wasm.wasm')) + sep,
  );
  // Its thread pool needs a browser's workers; in Node it runs on one thread.
  setThreadsCount(1);
  if (!(await tf.setBackend(BACKEND)))
    throw new Error('the WebAssembly backend of TensorFlow.js did not start');
  registerComposedActivationGradients(BACKEND);
  registerComposedBatchNorm(BACKEND);
  registerConvolutionFilterGradient(BACKEND);
  return { name: 'wasm', version: version_wasm, device: 'cpu', precisions: ['fp32'] };
}
