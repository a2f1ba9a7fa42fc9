import { DataType, shapeOf, type Graph, type GraphNode, type TensorType, type Value } from './graph.js';

/** Operations whose output is their first input's memory. */
const SHARES_ITS_INPUT = new Set(['Reshape', 'Identity']);

/** A tensor that lasts from one call to the next: a resource variable of the session, on the session's device. */
export class Variable implements TensorType {
  readonly dtype: DataType;
  readonly shape: readonly number[];
  /** Reference that operations need to write the variable. */
  readonly handle: Value;

  constructor(
    private readonly graph: Graph,
    name: string,
    { dtype, shape }: TensorType,
  ) {
    this.dtype = dtype;
    this.shape = shape;
    const attributes = {
      dtype: { type: dtype },
      shape: { shape: shapeOf(shape) },
      shared_name: { s: new TextEncoder().encode(name) },
    };
    const outputs = [{ dtype: DataType.DT_RESOURCE, shape: [] }];
    this.handle = graph.stateful({ op: 'VarHandleOp', attributes, outputs }).outputs[0];
  }

  /** Its value as it is when a call reads it, once `after` has run; two reads are two values. */
  read(after: readonly GraphNode[] = []): Value {
    const { dtype, shape, handle } = this;
    const attributes = { dtype: { type: dtype } };
    const outputs = [{ dtype, shape }];
    return this.graph.stateful({ op: 'ReadVariableOp', attributes, inputs: [handle], after, outputs })
      .outputs[0];
  }

  /** Once `after` has run. */
  assign(value: Value, after: readonly GraphNode[] = []): GraphNode {
    const attributes = { dtype: { type: this.dtype } };
    const inputs = [this.handle, this.#owned(value)];
    return this.graph.stateful({ op: 'AssignVariableOp', attributes, inputs, after });
  }

  /** Copies a feed, whose memory may change after the call, for a variable. */
  #owned(value: Value): Value {
    if (!isFed(value)) return value;
    const attributes = { T: { type: value.dtype } };
    return this.graph.pure({ op: 'DeepCopy', attributes, inputs: [value], outputs: [value] }).outputs[0];
  }
}

function isFed({ node }: Value): boolean {
  if (node.op === 'Placeholder') return true;
  return SHARES_ITS_INPUT.has(node.op) && isFed(node.inputs[0]);
}
