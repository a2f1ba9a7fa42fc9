import { DataType, type Graph, type GraphNode, type Value } from './graph.js';
import type { Variable } from './variable.js';

export interface AdamVariables {
  readonly parameter: Variable;
  readonly firstMoment: Variable;
  readonly secondMoment: Variable;
}

/** Scalars, each a value of the graph. */
export interface AdamScalars {
  /** With the bias correction of both moments in it. */
  readonly stepSize: Value;
  readonly beta1: Value;
  readonly beta2: Value;
  readonly epsilon: Value;
}

/**
 * Updates a parameter and its moments in place, once `after` has run (Kingma and Ba 2015, the form at the end of
 * section 2: parameter -= stepSize * firstMoment / (sqrt(secondMoment) + epsilon)).
 */
export function applyAdam(
  graph: Graph,
  { parameter, firstMoment, secondMoment }: AdamVariables,
  gradient: Value,
  { stepSize, beta1, beta2, epsilon }: AdamScalars,
  after: readonly GraphNode[],
): GraphNode {
  // The operation would correct the bias by powers of the betas; zeros tell it that there is none left to correct.
  const power = graph.scalar(0);
  const handles = [parameter.handle, firstMoment.handle, secondMoment.handle];
  return graph.stateful({
    op: 'ResourceApplyAdam',
    attributes: { T: { type: DataType.DT_FLOAT }, use_locking: { b: false }, use_nesterov: { b: false } },
    inputs: [...handles, power, power, stepSize, beta1, beta2, epsilon, gradient],
    after,
  });
}
