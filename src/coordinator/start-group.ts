import type { ComputeGroup } from './compute-group.js';
import { Fleet, type FleetOptions } from './fleet/fleet.js';
import { placeWorkers } from './fleet/placement.js';
import type { Machine, RunOptions } from './settle-options.js';
import { SingleNode } from './single-node.js';

export interface GroupParts extends Pick<
  FleetOptions,
  'engine' | 'keys' | 'faces' | 'sampler' | 'firstStep' | 'from' | 'metrics' | 'log' | 'signal'
> {
  readonly options: RunOptions;
  readonly machine: Machine;
}

/** The fleet, or this process alone where there is nothing to distribute. */
export function startGroup(parts: GroupParts): Promise<ComputeGroup> {
  const { options, machine, ...shared } = parts;
  const { training, workers, minWorkers, maxWorkers, fallback, liveness, external, listen } = options;
  const { engine, faces, sampler, from } = shared;
  if (workers === 0) return SingleNode.start({ training, engine, faces, sampler, from });
  return Fleet.start({
    ...{ training, workers, minWorkers, maxWorkers, fallback, liveness, external, listen },
    placement: placeWorkers(workers, machine.gpus, machine.cores),
    ...shared,
  });
}
