import { createRequire } from 'node:module';
import { dirname, sep } from 'node:path';
import { tf } from '../tensorflow.js';
import { setThreadsCount, setWasmPaths, version_wasm, type BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import type { Engine } from '../engine.js';
import { registerActivations } from './activations.js';
import { registerBatchNorm } from './batch-norm.js';
import { registerConvolution } from './convolution.js';
import { registerIdentity } from './identity.js';
import { registerMatrixMultiplication } from './matrix-multiplication.js';
import { BACKEND } from './register.js';
import { registerSplit } from './split.js';
import { makeToolbox } from './toolbox.js';

/** Makes the WebAssembly backend TensorFlow.js's, with this engine's kernels for what training spends its time on. */
export async function loadWasm(): Promise<Engine> {
  await startStockBackend();
  const toolbox = makeToolbox(tf.backend() as BackendWasm);
  registerMatrixMultiplication(toolbox);
  registerConvolution(toolbox);
  registerActivations(toolbox);
  registerBatchNorm(toolbox);
  registerSplit(toolbox);
  registerIdentity(toolbox);
  return { name: 'wasm', version: version_wasm, device: 'cpu', precisions: ['fp32'] };
}

/** The backend as it comes, which trains only with the kernels it lacks: see bench/wasm. */
export async function startStockBackend(): Promise<void> {
  const require = createRequire(import.meta.url);
  setWasmPaths(
    dirname(require.resolve('@tensorflow/tfjs-backend-wasm/wasm-out/tfjs-backend-wasm.wasm')) + sep,
  );
  // Its thread pool needs a browser's workers; in Node it runs on one thread.
  setThreadsCount(1);
  if (!(await tf.setBackend(BACKEND)))
    throw new Error('the WebAssembly backend of TensorFlow.js did not start');
}
