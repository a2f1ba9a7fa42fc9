import * as tf from '@tensorflow/tfjs-core';

export interface KernelTime {
  readonly kernel: string;
  calls: number;
  /** Without that of kernels it calls. */
  milliseconds: number;
}

/** Makes every kernel of the WebAssembly backend keep account of its time. Kernels return when they are done. */
export function profileKernels(): KernelTime[] {
  const times: KernelTime[] = [];
  let inCallees = 0;
  for (const config of tf.getKernelsForBackend('wasm')) {
    const time: KernelTime = { kernel: config.kernelName, calls: 0, milliseconds: 0 };
    times.push(time);
    tf.unregisterKernel(config.kernelName, 'wasm');
    tf.registerKernel({
      ...config,
      kernelFunc: (call) => {
        const outer = inCallees;
        inCallees = 0;
        const start = performance.now();
        const result = config.kernelFunc(call);
        const took = performance.now() - start;
        time.calls++;
        time.milliseconds += took - inCallees;
        inCallees = outer + took;
        return result;
      },
    });
  }
  return times;
}
