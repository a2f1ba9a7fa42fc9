import type { CallRoots } from './carry.js';
import { DataType, type Graph, type GraphNode, type Value } from './graph.js';

/** Which inputs and outputs of an operation are bfloat16 in mixed precision; all others stay as they are. */
interface Narrowing {
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
}

/**
 * Convolutions and matrix products, and what lies between them, so that feature maps need not be widened from layer to
 * layer. Batch norm computes in float32 inside, and its parameters and statistics are float32. All else - losses,
 * scores, Adam, the weights themselves - is not listed, and is float32.
 */
const NARROWED: Readonly<Partial<Record<string, Narrowing>>> = {
  Conv2D: { inputs: [0, 1], outputs: [0] },
  Conv2DBackpropInput: { inputs: [1, 2], outputs: [0] },
  Conv2DBackpropFilter: { inputs: [0, 2], outputs: [0] },
  MatMul: { inputs: [0, 1], outputs: [0] },
  BatchMatMulV2: { inputs: [0, 1], outputs: [0] },
  FusedBatchNormV3: { inputs: [0], outputs: [0] },
  FusedBatchNormGradV3: { inputs: [0, 1], outputs: [0] },
  Relu: { inputs: [0], outputs: [0] },
  ReluGrad: { inputs: [0, 1], outputs: [0] },
  LeakyRelu: { inputs: [0], outputs: [0] },
  LeakyReluGrad: { inputs: [0, 1], outputs: [0] },
};

/** Moves values and computes nothing: bfloat16 where what it is given is. */
const RESHAPE: Narrowing = { inputs: [0], outputs: [0] };

const { DT_BFLOAT16 } = DataType;

/** Rewrites float32 calls to mixed precision (Micikevicius et al. 2018, without a loss scale: bfloat16 has float32's range). */
export function narrowToBfloat16(graph: Graph): (call: CallRoots) => CallRoots {
  const rewritten = new Map<GraphNode, GraphNode>();

  const rewrite = (node: GraphNode): GraphNode => {
    const known = rewritten.get(node);
    if (known) return known;
    const after = node.after.map(rewrite);
    const narrowing = narrowingOf(node);
    const made = narrowing
      ? graph.pure({
          op: node.op,
          attributes: { ...node.attributes, T: { type: DT_BFLOAT16 } },
          inputs: node.inputs.map((input, index) =>
            narrowing.inputs.includes(index) ? narrow(input) : widen(input),
          ),
          after,
          outputs: node.outputs.map(({ dtype, shape }, index) => ({
            dtype: narrowing.outputs.includes(index) ? DT_BFLOAT16 : dtype,
            shape,
          })),
        })
      : graph.replaceInputs(node, node.inputs.map(widen), after);
    rewritten.set(node, made);
    return made;
  };
  const narrowingOf = ({ op, inputs }: GraphNode): Narrowing | undefined => {
    if (op !== 'Reshape') return NARROWED[op];
    return rewrittenValue(inputs[0]).dtype === DT_BFLOAT16 ? RESHAPE : undefined;
  };
  const rewrittenValue = ({ node, index }: Value): Value => rewrite(node).outputs[index];
  const narrow = (value: Value): Value => cast(graph, rewrittenValue(value), DT_BFLOAT16);
  const widen = (value: Value): Value => cast(graph, rewrittenValue(value), value.dtype);

  return ({ fetches, effects }) => ({ fetches: fetches.map(widen), effects: effects.map(rewrite) });
}

function cast(graph: Graph, value: Value, dtype: DataType): Value {
  if (value.dtype === dtype) return value;
  const attributes = { SrcT: { type: value.dtype }, DstT: { type: dtype } };
  const outputs = [{ dtype, shape: value.shape }];
  return graph.pure({ op: 'Cast', attributes, inputs: [value], outputs }).outputs[0];
}
