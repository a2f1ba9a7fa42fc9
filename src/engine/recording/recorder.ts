import { tf } from '../tensorflow.js';
import type { NodeJSKernelBackend } from '@tensorflow/tfjs-node-gpu/dist/nodejs_kernel_backend.js';
import type { TFEOpAttr, TFJSBinding } from '@tensorflow/tfjs-node-gpu/dist/tfjs_binding.js';
import { attributesOf } from './attributes.js';
import { bytesOf } from '../../common/bytes.js';
import { DataType, type Graph, type TensorType, type Value } from './graph.js';
import type { OutputTypes } from './output-types.js';
import { RecordingError } from './recording-error.js';

/** A replay would not draw the same numbers again, nor a second call others. */
const DRAWS_RANDOM_NUMBERS = /^(Random|Stateless|TruncatedNormal|ParameterizedTruncatedNormal|Multinomial)/;

/** Private parts of tfjs-node: a tensor's values, or its id in the binding. */
interface BackendInternals {
  binding: TFJSBinding;
  readonly tensorMap: tf.DataStorage<{ readonly values: unknown }>;
  getInputTensorIds: (tensors: readonly tf.Tensor[]) => number[];
  move: (dataId: tf.DataId, ...rest: unknown[]) => void;
}

/**
 * Runs a function of tensors once, operation by operation, and writes down what it calls. Every native kernel goes
 * through the binding's executeOp(op, attributes, inputs, outputCount), so while the function runs, a binding that
 * takes notes stands in for the real one.
 */
export function recordCalls(
  graph: Graph,
  nativeBackend: NodeJSKernelBackend,
  types: OutputTypes,
  inputs: readonly Value[],
  run: (...inputs: tf.Tensor[]) => readonly tf.Tensor[],
): Value[] {
  const backend = nativeBackend as unknown as BackendInternals;
  const { binding } = backend;
  const notes = new Notes(graph, binding, types);
  const results: Value[] = [];
  tf.tidy(() => {
    const tensors = inputs.map(exampleOf);
    backend.getInputTensorIds(tensors).forEach((id, index) => {
      notes.name(id, inputs[index]);
    });
    const stopWatching = watchData(backend, tensors);
    backend.binding = notes.takingBinding();
    try {
      const outputs = run(...tensors);
      results.push(...backend.getInputTensorIds(outputs).map((id) => notes.valueOf(id, 'the result')));
    } finally {
      backend.binding = binding;
      stopWatching();
    }
  });
  return results;
}

/** Placeholder inputs for the function: only shapes and types matter. */
function exampleOf({ dtype, shape }: Value): tf.Tensor {
  if (dtype !== DataType.DT_FLOAT)
    throw new RecordingError(`an input of a recording is float32, not ${DataType[dtype]}`);
  return tf.zeros([...shape]);
}

const ZEROS: ReadonlyMap<DataType, (length: number) => Float32Array | Int32Array | Uint8Array> = new Map<
  DataType,
  (length: number) => Float32Array | Int32Array | Uint8Array
>([
  [DataType.DT_FLOAT, (length) => new Float32Array(length)],
  [DataType.DT_INT32, (length) => new Int32Array(length)],
  [DataType.DT_BOOL, (length) => new Uint8Array(length)],
]);

/** Which graph value each tensor of the binding stands for. */
class Notes {
  readonly #values = new Map<number, Value>();

  constructor(
    private readonly graph: Graph,
    private readonly binding: TFJSBinding,
    private readonly types: OutputTypes,
  ) {}

  name(id: number, value: Value): void {
    this.#values.set(id, value);
  }

  valueOf(id: number, reader: string): Value {
    const value = this.#values.get(id);
    if (!value) throw madeOutside(reader);
    return value;
  }

  takingBinding(): TFJSBinding {
    const { binding } = this;
    // Its properties are read-only, so it can be no prototype, and native methods want it as `this`.
    const own = Object.getOwnPropertyNames(binding).map((name) => {
      const value: unknown = Reflect.get(binding, name);
      return [name, typeof value === 'function' ? (value.bind(binding) as unknown) : value];
    });
    const taking: Partial<TFJSBinding> = {
      executeOp: (...call) => this.#executeOp(...call),
      createTensor: (...tensor) => this.#createTensor(...tensor),
      tensorDataSync: () => {
        throw new RecordingError(
          'a recorded function cannot read a tensor: it runs once, and its graph on other values after',
        );
      },
    };
    return { ...(Object.fromEntries(own) as TFJSBinding), ...taking };
  }

  #executeOp(
    op: string,
    attributes: TFEOpAttr[],
    inputs: number[],
    count: number,
  ): ReturnType<TFJSBinding['executeOp']> {
    if (DRAWS_RANDOM_NUMBERS.test(op))
      throw new RecordingError(
        `${op} cannot be recorded: it draws numbers; draw them outside and pass them in`,
      );
    const node = {
      op,
      attributes: attributesOf(op, attributes, this.binding),
      inputs: inputs.map((id) => this.valueOf(id, op)),
    };
    const outputs =
      this.#standIns(this.types.of(node)) ?? this.binding.executeOp(op, attributes, inputs, count);
    const types = outputs.map(typeOf);
    this.types.note(node, types);
    const values = this.graph.pure({ ...node, outputs: types }).outputs;
    outputs.forEach(({ id }, index) => {
      this.name(id, values[index]);
    });
    return outputs;
  }

  /** Returns empty tensors of these types. Undefined if JavaScript has no such numbers. */
  #standIns(types: readonly TensorType[] | undefined): ReturnType<TFJSBinding['executeOp']> | undefined {
    if (!types?.every(({ dtype }) => ZEROS.has(dtype))) return undefined;
    return types.map(({ dtype, shape }) => {
      const values = ZEROS.get(dtype)?.(tf.util.sizeFromShape([...shape])) ?? [];
      return { id: this.binding.createTensor([...shape], dtype, values), dtype, shape: [...shape] };
    });
  }

  #createTensor(shape: number[], dtype: number, values: tf.backend_util.BackendValues): number {
    const type = dataTypeOf(dtype);
    const id = this.binding.createTensor(shape, dtype, values);
    this.name(id, this.graph.constant(type, shape, contentOf(type, values)));
    return id;
  }
}

function typeOf({ dtype, shape }: { dtype: number; shape: number[] }): TensorType {
  return { dtype: dataTypeOf(dtype), shape };
}

/** The binding's numbers are TensorFlow's, and so are the schema's. */
const KNOWN_TYPES: ReadonlyMap<number, DataType> = new Map(
  Object.values(DataType)
    .filter((type) => typeof type !== 'string')
    .map((type) => [type, type]),
);

function dataTypeOf(number: number): DataType {
  const type = KNOWN_TYPES.get(number);
  if (type === undefined)
    throw new RecordingError(`tensors of TensorFlow's type ${number} cannot be recorded`);
  return type;
}

function contentOf(dtype: DataType, values: tf.backend_util.BackendValues): Uint8Array {
  if (dtype === DataType.DT_FLOAT) return bytesOf(Float32Array.from(values as Float32Array));
  if (dtype === DataType.DT_INT32) return bytesOf(Int32Array.from(values as Int32Array));
  if (dtype === DataType.DT_BOOL) return Uint8Array.from(values as Uint8Array);
  throw new RecordingError(`constants of type ${DataType[dtype]} cannot be recorded`);
}

/**
 * Refuses tensors that were made before and would else be taken for constants: their values may wait in JavaScript
 * until a kernel reads them. Returns what ends the watch.
 */
function watchData(backend: BackendInternals, inputs: readonly tf.Tensor[]): () => void {
  const made = new WeakSet<tf.DataId>(inputs.map(({ dataId }) => dataId));
  const { move, getInputTensorIds } = Object.getPrototypeOf(backend) as BackendInternals;
  backend.move = (dataId, ...rest) => {
    made.add(dataId);
    move.call(backend, dataId, ...rest);
  };
  backend.getInputTensorIds = (tensors) => {
    for (const { dataId } of tensors)
      if (!made.has(dataId) && backend.tensorMap.get(dataId).values !== null)
        throw madeOutside('the function');
    return getInputTensorIds.call(backend, tensors);
  };
  return () => {
    // The instance's own go, and the prototype's show again.
    Reflect.deleteProperty(backend, 'move');
    Reflect.deleteProperty(backend, 'getInputTensorIds');
  };
}

function madeOutside(reader: string): RecordingError {
  return new RecordingError(`${reader} reads a tensor made outside the recording: pass it in as an input`);
}
