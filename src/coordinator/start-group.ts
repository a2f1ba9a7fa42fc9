import { hostname } from 'node:os';
import { WorkersGone, type ComputeGroup, type StateSource } from './compute-group.js';
import { Fleet, type FleetOptions } from './fleet/fleet.js';
import { placeWorkers } from './fleet/placement.js';
import { LoneSuccessor } from './lone-successor.js';
import { openSegments } from '../wire/segments/segments.js';
import type { Machine, RunOptions } from './settle-options.js';
import { SingleNode } from './single-node.js';

export interface GroupParts extends Pick<
  FleetOptions,
  | 'id'
  | 'engine'
  | 'keys'
  | 'faces'
  | 'sampler'
  | 'firstStep'
  | 'from'
  | 'metrics'
  | 'log'
  | 'signal'
  | 'isOver'
> {
  readonly options: RunOptions;
  readonly machine: Machine;
}

/** The fleet, or this process alone where there is nothing to distribute. */
export async function startGroup(parts: GroupParts): Promise<ComputeGroup> {
  const { options, machine, ...shared } = parts;
  const { training, workers, minWorkers, maxWorkers, fallback, liveness, topology, external, listen } =
    options;
  const { engine, faces, sampler, firstStep, from, log, metrics } = shared;
  const startAlone = async (state: StateSource | undefined): Promise<SingleNode> => {
    const node = await SingleNode.start({ training, engine, faces, sampler, from: state });
    const device = node.engine.split(' ').at(-1) ?? '';
    metrics.board.alone({ host: hostname(), pid: process.pid, device }, training.shards);
    return node;
  };
  const sayResiduals = (): void => {
    if (training.wire === 'int8')
      log('what rounding left of the gradients begins at zero again (--wire int8)', { level: 'warn' });
  };
  if (firstStep > 1) sayResiduals();
  if (workers === 0) return startAlone(from);
  const succeed = (state: StateSource | undefined): Promise<SingleNode> => {
    sayResiduals();
    return startAlone(state);
  };
  try {
    const fleet = await Fleet.start({
      ...{ training, workers, minWorkers, maxWorkers, fallback, liveness, topology, external, listen },
      openSegments: options.sharedMemory ? openSegments(log) : () => Promise.resolve(undefined),
      placement: placeWorkers(workers, machine.gpus, machine.cores),
      ...shared,
    });
    return fallback === 'single-node' ? new LoneSuccessor(fleet, succeed, log) : fleet;
  } catch (error) {
    if (fallback !== 'single-node' || !(error instanceof WorkersGone)) throw error;
    log(`${error.message}: beginning in this process alone`, { level: 'warn' });
    return startAlone(from);
  }
}
