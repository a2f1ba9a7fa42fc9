import { tf } from '../tensorflow.js';

export const BACKEND = 'wasm';

/** A kernel's inputs by name. TensorFlow.js's own types allow each to be missing. */
export type Inputs<Name extends string> = Readonly<Record<Name, tf.TensorInfo>>;

/** Arguments that TensorFlow.js passes to a kernel; they depend on its name. */
type Compute = (inputs: never, attributes: never) => tf.TensorInfo | tf.TensorInfo[];
type Covers = (inputs: never, attributes: never) => boolean;

/** Registers a kernel that the WebAssembly backend lacks. */
export function register(kernelName: string, compute: Compute): void {
  tf.registerKernel({
    kernelName,
    backendName: BACKEND,
    kernelFunc: ({ inputs, attrs }) => compute(inputs as never, attrs as never),
  });
}

/** Replaces a kernel of the WebAssembly backend. The original still handles what the new one does not cover. */
export function override(kernelName: string, covers: Covers, compute: Compute): void {
  const stock = tf.getKernel(kernelName, BACKEND);
  tf.unregisterKernel(kernelName, BACKEND);
  tf.registerKernel({
    ...stock,
    kernelFunc: (call) => {
      const [inputs, attributes] = [call.inputs as never, call.attrs as never];
      return covers(inputs, attributes) ? compute(inputs, attributes) : stock.kernelFunc(call);
    },
  });
}
