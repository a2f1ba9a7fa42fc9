import type * as tf from '@tensorflow/tfjs-core';
import type { NodeJSKernelBackend } from '@tensorflow/tfjs-node-gpu/dist/nodejs_kernel_backend.js';
import type { Precision } from '../engine.js';
import { applyAdam, type AdamScalars, type AdamVariables } from './adam-update.js';
import { narrowToBfloat16 } from './bfloat16.js';
import { carryOver, rootNodes, type CallRoots } from './carry.js';
import { bytesOf } from '../../common/bytes.js';
import { closure, DataType, Graph, shapeOf, type Attributes, type GraphNode, type Value } from './graph.js';
import { OutputTypes } from './output-types.js';
import { Program, type CompiledCall } from './program.js';
import { recordCalls } from './recorder.js';
import { loadGraph } from './saved-model.js';
import { Variable } from './variable.js';

export interface CallDeclaration {
  readonly name: string;
  readonly fetches?: readonly Value[];
  readonly effects?: readonly GraphNode[];
  /**
   * An earlier call: what both compute is computed there only, and taken over. Its inputs and the variables that both
   * read must be the same when this one runs.
   */
  readonly takesFrom?: string;
}

/**
 * Functions of tensors, recorded as one graph of TensorFlow, in which they run without a native call for each
 * operation. Declare inputs and variables, record functions of their values, say what each call fetches and changes,
 * and load the whole:
 *
 *     const recording = new Recording(backend);
 *     const x = recording.input('x', [2]);
 *     const sum = recording.variable('sum', [2]);
 *     const [added] = recording.record([x, sum.read()], (x, sum) => [tf.add(x, sum)]);
 *     recording.call({ name: 'add', fetches: [added], effects: [sum.assign(added)] });
 *     const program = recording.load('fp32');
 */
export class Recording {
  readonly #graph = new Graph();
  readonly #types = new OutputTypes();
  readonly #inputs = new Map<GraphNode, string>();
  readonly #calls: CallDeclaration[] = [];

  constructor(private readonly backend: NodeJSKernelBackend) {}

  /** Feeds of a call, float32. */
  input(name: string, shape: readonly number[]): Value {
    const dtype = DataType.DT_FLOAT;
    const attributes = { dtype: { type: dtype }, shape: { shape: shapeOf(shape) } };
    const outputs = [{ dtype, shape }];
    const node = this.#graph.stateful({ op: 'Placeholder', attributes, outputs });
    this.#inputs.set(node, name);
    return node.outputs[0];
  }

  /** A variable that persists between calls, float32. It has no value until a call assigns one. */
  variable(name: string, shape: readonly number[]): Variable {
    return new Variable(this.#graph, name, { dtype: DataType.DT_FLOAT, shape });
  }

  scalar(value: number): Value {
    return this.#graph.scalar(value);
  }

  /**
   * The function's results on these values. It is run once, now, on zeros: whatever it does in JavaScript is done for
   * good. Throws RecordingError where it reads a tensor's values, uses one made outside, or draws random numbers.
   */
  record(inputs: readonly Value[], run: (...inputs: tf.Tensor[]) => readonly tf.Tensor[]): Value[] {
    return recordCalls(this.#graph, this.backend, this.#types, inputs, run);
  }

  /** The same value, but not before the others are there: what is computed of it waits for them. */
  after(value: Value, others: readonly Value[]): Value {
    const after = [...new Set(others.map(({ node }) => node))];
    const attributes = { T: { type: value.dtype } };
    return this.#graph.pure({ op: 'Identity', attributes, inputs: [value], after, outputs: [value] })
      .outputs[0];
  }

  applyAdam(
    variables: AdamVariables,
    gradient: Value,
    scalars: AdamScalars,
    after: readonly GraphNode[] = [],
  ): GraphNode {
    return applyAdam(this.#graph, variables, gradient, scalars, after);
  }

  /** Euclidean norm of all values together: each is read once, and nothing as large is made. */
  norm(values: readonly Value[]): Value {
    const attributes = { T: { type: DataType.DT_FLOAT } };
    const outputs = [{ dtype: DataType.DT_FLOAT, shape: [] }];
    const node = (op: string, inputs: readonly Value[], more: Attributes = {}): Value =>
      this.#graph.pure({ op, attributes: { ...attributes, ...more }, inputs, outputs }).outputs[0];
    const halves = values.map((value) => node('L2Loss', [value]));
    const sum = node('AddN', halves, { N: { i: halves.length } });
    return node('Sqrt', [node('Mul', [sum, this.scalar(2)])]);
  }

  /** A scalar as it is; the call fails with the message where it is not finite. */
  requireFinite(scalar: Value, message: string): Value {
    const attributes = { T: { type: scalar.dtype }, message: { s: new TextEncoder().encode(message) } };
    return this.#graph.stateful({ op: 'CheckNumerics', attributes, inputs: [scalar], outputs: [scalar] })
      .outputs[0];
  }

  call(declaration: CallDeclaration): void {
    this.#calls.push(declaration);
  }

  /** Makes the session in which all calls run. */
  load(precision: Precision): Program {
    const roots = new Map(
      this.#calls.map(({ name, fetches = [], effects = [] }): [string, CallRoots] => [
        name,
        { fetches, effects },
      ]),
    );
    if (precision === 'bf16') {
      const narrow = narrowToBfloat16(this.#graph);
      for (const [name, call] of roots) roots.set(name, narrow(call));
    }
    for (const { name, takesFrom } of this.#calls) {
      if (takesFrom === undefined) continue;
      const carried = carryOver(this.#graph, callNamed(roots, takesFrom), callNamed(roots, name));
      roots.set(takesFrom, carried.earlier).set(name, carried.later);
    }
    const calls = new Map(
      this.#calls.map(({ name, takesFrom }) => [name, this.#compile(callNamed(roots, name), takesFrom)]),
    );
    const fetched = [...calls.values()].flatMap(({ fetches, done }) => (done ? [...fetches, done] : fetches));
    const nodes = closure(fetched.map(({ node }) => node));
    return new Program(this.backend, loadGraph(this.backend.binding, nodes), calls);
  }

  #compile(roots: CallRoots, takesFrom: string | undefined): CompiledCall {
    const inputs = closure(rootNodes(roots)).flatMap((node) => {
      const name = this.#inputs.get(node);
      return name === undefined ? [] : [{ name, value: node.outputs[0] }];
    });
    const { fetches, effects } = roots;
    return { inputs, fetches, done: effects.length > 0 ? this.#doneAfter(effects) : undefined, takesFrom };
  }

  /** A session returns values only: what runs for its effect needs one that waits for it. */
  #doneAfter(effects: readonly GraphNode[]): Value {
    const type = { dtype: DataType.DT_INT32, shape: [] };
    const one = this.#graph.constant(type.dtype, type.shape, bytesOf(Int32Array.of(1)));
    const attributes = { T: { type: type.dtype } };
    return this.#graph.stateful({
      op: 'Identity',
      attributes,
      inputs: [one],
      after: effects,
      outputs: [type],
    }).outputs[0];
  }
}

function callNamed(roots: ReadonlyMap<string, CallRoots>, name: string): CallRoots {
  const call = roots.get(name);
  if (!call) throw new Error(`no call ${name} was declared`);
  return call;
}
