import type { Summation } from './order-of-sums.js';
import { UserError } from '../common/errors.js';

/**
 * Which way gradients go: star: all to the coordinator and back; ring, tree: among the workers, past the coordinator,
 * added one after the other or in pairs (see `SumPlans`). auto: star or ring.
 */
export const TOPOLOGIES = ['auto', 'star', 'ring', 'tree'] as const;
export type Topology = (typeof TOPOLOGIES)[number];

/** The order of a run's sums: chosen when it begins, since its numbers depend on it. A star takes either. */
export function settleSummation(
  topology: Topology,
  ofRun: Summation | undefined,
): { readonly summation?: 'pairwise' } {
  const suited = topology === 'tree' ? 'pairwise' : 'sequential';
  const summation = ofRun ?? suited;
  if (topology !== 'star' && topology !== 'auto' && summation !== suited)
    throw new UserError(
      `the run adds gradients as a ${summation === 'pairwise' ? 'tree' : 'ring'} does, ` +
        `and cannot resume as a ${topology}: its numbers would change`,
    );
  return summation === 'pairwise' ? { summation } : {};
}
