import { createRequire } from 'node:module';
import { tf } from './tensorflow.js';
import { registerActivationGradients } from './activation-gradients.js';
import { registerBatchNormGradient } from './batch-norm.js';
import type { Engine, EngineName } from './engine.js';

/**
 * Loads an engine into this thread. Everything that computes shares the one backend TensorFlow.js has a process, so
 * call it once. `environment.ts` must have been applied before.
 */
export async function loadEngine(name: EngineName): Promise<Engine> {
  // Registers the gradients of TensorFlow.js's ops, for whichever backend. Not imported: see tensorflow.ts.
  createRequire(import.meta.url)('@tensorflow/tfjs');
  // Leaves out checks of every result for NaN, which read each tensor back.
  tf.enableProdMode();
  registerBatchNormGradient();
  registerActivationGradients();
  switch (name) {
    case 'native': {
      const { loadNative } = await import('./native/index.js');
      return loadNative();
    }
    case 'wasm': {
      const { loadWasm } = await import('./wasm/index.js');
      return loadWasm();
    }
  }
}
