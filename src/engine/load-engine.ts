import { createRequire } from 'node:module';
import { cacheFolder } from '../common/files/cache-folder.js';
import { tf } from './tensorflow.js';
import { registerActivationGradients } from './activation-gradients.js';
import { registerBatchNormGradient } from './batch-norm.js';
import { registerSecondGradients } from './second-gradients.js';
import { EngineUnavailable, type Engine, type EngineName } from './engine.js';
import { findEngine } from './provision/index.js';

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
  registerSecondGradients();
  switch (name) {
    case 'native': {
      const found = await findEngine(cacheFolder());
      if (found.kind === 'unavailable') throw new EngineUnavailable(found.reason, found.remedy);
      const { loadNative } = await import('./native/index.js');
      return loadNative(found.bindingPath);
    }
    case 'wasm': {
      const { loadWasm } = await import('./wasm/index.js');
      return loadWasm();
    }
  }
}
