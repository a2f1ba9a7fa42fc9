import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import { Heap } from './heap.js';
import { instantiateKernels, type Kernels } from './kernels.js';
import { MatrixProduct } from './matrix-product.js';

/** Tools from which the engine's kernels are built. */
export interface Toolbox {
  readonly heap: Heap;
  readonly kernels: Kernels;
  readonly product: MatrixProduct;
}

export function makeToolbox(backend: BackendWasm): Toolbox {
  const heap = new Heap(backend);
  const kernels = instantiateKernels(heap.memory);
  return { heap, kernels, product: new MatrixProduct(heap, kernels) };
}
