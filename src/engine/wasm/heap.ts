import { tf } from '../tensorflow.js';
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import type { WebAssemblyMemory } from '../../common/web-assembly.js';

export const FLOAT_BYTES = 4;

/** TensorFlow.js's module, as Emscripten made it. `asm` is missing in its types. */
interface TensorFlowModule {
  readonly asm: { readonly memory: WebAssemblyMemory };
  _malloc(bytes: number): number;
  _free(address: number): void;
}

/** The memory of TensorFlow.js's WebAssembly module, where all its tensors lie. */
export class Heap {
  readonly #module: TensorFlowModule;

  constructor(private readonly backend: BackendWasm) {
    this.#module = backend.wasm as unknown as TensorFlowModule;
  }

  get memory(): WebAssemblyMemory {
    return this.#module.asm.memory;
  }

  /** Address of a tensor's numbers. */
  address({ dataId }: tf.TensorInfo): number {
    return this.backend.getMemoryOffset(dataId);
  }

  /** A new tensor of float32. What is in it is left over from others. */
  output(shape: readonly number[]): tf.TensorInfo {
    const output = this.backend.makeOutput([...shape], 'float32');
    // The backend takes a full heap's null for an address.
    if (this.address(output) === 0) throw new Error(`the WebAssembly heap has no room for [${shape.join()}]`);
    return output;
  }

  /** The same numbers as another tensor. They are freed with the last one. */
  share({ dataId, shape, dtype }: tf.TensorInfo): tf.TensorInfo {
    this.backend.incRef(dataId);
    return { dataId, shape, dtype };
  }

  /** The numbers at an address. Valid until something is allocated: memory that grows gets another buffer. */
  floats(address: number, count: number): Float32Array {
    return new Float32Array(this.memory.buffer, address, count);
  }

  allocate(bytes: number): number {
    // The module returns a signed number, which is negative above 2 GiB.
    const address = this.#module._malloc(bytes) >>> 0;
    if (address === 0) throw new Error(`the WebAssembly heap has no room for ${bytes} bytes`);
    return address;
  }

  /** Room for the duration of a call, one piece for each length in bytes. */
  borrow<Result>(lengths: readonly number[], use: (addresses: number[]) => Result): Result {
    const addresses = lengths.map((bytes) => this.allocate(bytes));
    try {
      return use(addresses);
    } finally {
      for (const address of addresses) this.#module._free(address);
    }
  }
}
