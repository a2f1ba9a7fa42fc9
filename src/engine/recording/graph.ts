import { bytesOf } from '../../common/bytes.js';
import { tensorflow } from './generated/tensorflow.js';

export const DataType = tensorflow.DataType;
export type DataType = tensorflow.DataType;
export type Attribute = tensorflow.AttrValue.$Properties;
export type Attributes = Readonly<Record<string, Attribute>>;

export interface TensorType {
  readonly dtype: DataType;
  readonly shape: readonly number[];
}

/** One output of a node: what a tensor is in a graph. */
export interface Value extends TensorType {
  readonly node: GraphNode;
  /** Which of the node's outputs. */
  readonly index: number;
}

export interface GraphNode {
  /** Counts the graph's nodes; a node's inputs come before it. */
  readonly serial: number;
  readonly op: string;
  readonly attributes: Attributes;
  readonly inputs: readonly Value[];
  /** Nodes that must run before, although their outputs are not read. */
  readonly after: readonly GraphNode[];
  readonly outputs: readonly Value[];
  /** A pure node's outputs follow from its inputs and attributes alone, whenever it runs. */
  readonly isPure: boolean;
}

export interface NodeParts {
  readonly op: string;
  readonly attributes?: Attributes;
  readonly inputs?: readonly Value[];
  readonly after?: readonly GraphNode[];
  readonly outputs?: readonly TensorType[];
}

/** A constant larger than this is not compared with others, in bytes. */
const LARGEST_SHARED_CONSTANT = 1024;

/**
 * A graph of TensorFlow operations that grows. Equal pure nodes are made once (hash-consing): what two recorded
 * functions both compute is then one and the same value, and computed once where both are asked for.
 */
export class Graph {
  readonly #pure = new Map<string, GraphNode>();
  #count = 0;

  pure(parts: NodeParts): GraphNode {
    const key = keyOf(parts);
    if (key === undefined) return this.#make(parts, true);
    const known = this.#pure.get(key);
    if (known) return known;
    const node = this.#make(parts, true);
    this.#pure.set(key, node);
    return node;
  }

  /** A node that reads or writes what lasts, or is fed: never shared, never moved. */
  stateful(parts: NodeParts): GraphNode {
    return this.#make(parts, false);
  }

  constant(dtype: DataType, shape: readonly number[], content: Uint8Array): Value {
    const tensor = { dtype, tensorShape: shapeOf(shape), tensorContent: content };
    const node = this.pure({
      op: 'Const',
      attributes: { dtype: { type: dtype }, value: { tensor } },
      outputs: [{ dtype, shape }],
    });
    return node.outputs[0];
  }

  scalar(value: number): Value {
    return this.constant(DataType.DT_FLOAT, [], bytesOf(Float32Array.of(value)));
  }

  /** The same node with other inputs: itself where they are the ones it has. */
  replaceInputs(node: GraphNode, inputs: readonly Value[], after: readonly GraphNode[]): GraphNode {
    if (isSame(inputs, node.inputs) && isSame(after, node.after)) return node;
    const parts = { ...node, inputs, after };
    return node.isPure ? this.pure(parts) : this.stateful(parts);
  }

  #make(parts: NodeParts, isPure: boolean): GraphNode {
    const outputs: Value[] = [];
    const { op, attributes = {}, inputs = [], after = [] } = parts;
    const node: GraphNode = { serial: this.#count++, op, attributes, inputs, after, outputs, isPure };
    for (const [index, { dtype, shape }] of (parts.outputs ?? []).entries())
      outputs.push({ node, index, dtype, shape });
    return node;
  }
}

/** All nodes that these need, themselves included, inputs first. */
export function closure(roots: Iterable<GraphNode>): GraphNode[] {
  const found = new Set<GraphNode>();
  const open = [...roots];
  for (let node = open.pop(); node; node = open.pop()) {
    if (found.has(node)) continue;
    found.add(node);
    open.push(...node.inputs.map((input) => input.node), ...node.after);
  }
  return [...found].sort((one, other) => one.serial - other.serial);
}

export function shapeOf(shape: readonly number[]): tensorflow.TensorShapeProto.$Properties {
  return { dim: shape.map((size) => ({ size })) };
}

function isSame<T>(these: readonly T[], those: readonly T[]): boolean {
  return these.length === those.length && these.every((each, index) => each === those[index]);
}

/** The same for nodes that compute the same; undefined where comparing would cost more than it saves. */
function keyOf({ op, attributes = {}, inputs = [], after = [] }: NodeParts): string | undefined {
  const content = (attributes['value'] as Attribute | undefined)?.tensor?.tensorContent;
  if (content && content.length > LARGEST_SHARED_CONSTANT) return undefined;
  return JSON.stringify([
    op,
    inputs.map(({ node, index }) => [node.serial, index]),
    after.map(({ serial }) => serial),
    Object.entries(attributes).sort(([one], [other]) => (one < other ? -1 : 1)),
  ]);
}
