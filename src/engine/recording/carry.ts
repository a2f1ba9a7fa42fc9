import { closure, type Graph, type GraphNode, type Value } from './graph.js';
import { Variable } from './variable.js';

/** A call: the values that it returns, and the nodes that it runs for their effects. */
export interface CallRoots {
  readonly fetches: readonly Value[];
  readonly effects: readonly GraphNode[];
}

/** Operations that cost nothing to do again. */
const CHEAP = new Set(['Const', 'Reshape', 'Identity']);

/**
 * Rewrites a call so that it takes from an earlier one what both compute; the earlier one gets effects that keep those
 * values. They are kept in variables of the session, which costs no copy: a variable shares its tensor's buffer.
 */
export function carryOver(
  graph: Graph,
  earlier: CallRoots,
  later: CallRoots,
): { earlier: CallRoots; later: CallRoots } {
  const computedEarlier = new Set(closure(rootNodes(earlier)));
  const keeps: GraphNode[] = [];
  const kept = new Map<Value, Value>();
  const cheap = new Map<GraphNode, boolean>();
  const rewritten = new Map<GraphNode, GraphNode>();

  const isCheap = (node: GraphNode): boolean => {
    const known = cheap.get(node);
    if (known !== undefined) return known;
    // What is read or fed is the same in both calls; see Variable.read for what is not.
    const result = !node.isPure || (CHEAP.has(node.op) && node.inputs.every((input) => isCheap(input.node)));
    cheap.set(node, result);
    return result;
  };
  const take = (value: Value): Value => {
    const { node, index } = value;
    if (!computedEarlier.has(node) || isCheap(node)) return rewrite(node).outputs[index];
    const known = kept.get(value);
    if (known) return known;
    const variable = new Variable(graph, `kept.${node.op}.${node.serial}.${index}`, value);
    keeps.push(variable.assign(value));
    const read = variable.read();
    kept.set(value, read);
    return read;
  };
  const rewrite = (node: GraphNode): GraphNode => {
    const known = rewritten.get(node);
    if (known) return known;
    // What has run in the earlier call need not be waited for.
    const after = node.after.filter((each) => !computedEarlier.has(each)).map(rewrite);
    const made = graph.replaceInputs(node, node.inputs.map(take), after);
    rewritten.set(node, made);
    return made;
  };

  return {
    later: { fetches: later.fetches.map(take), effects: later.effects.map(rewrite) },
    earlier: { fetches: earlier.fetches, effects: [...earlier.effects, ...keeps] },
  };
}

export function rootNodes({ fetches, effects }: CallRoots): GraphNode[] {
  return [...fetches.map(({ node }) => node), ...effects];
}
