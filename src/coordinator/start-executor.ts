import { hostname } from 'node:os';
import type { StateSource } from '../model/state-source.js';
import { WorkersGone, type ComputeGroup } from './executor.js';
import { Fleet, type FleetOptions } from './fleet/fleet.js';
import { placeWorkers } from './fleet/local-workers/placement.js';
import { LoneSuccessor } from './fallback-executor.js';
import { openSegments } from '../wire/segments/segments.js';
import type { Machine, RunOptions } from '../options/resolve-options.js';
import { SingleNode } from './local-executor.js';

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
  const { engine, faces, sampler, from, log, metrics } = shared;
  const startAlone = async (state: StateSource | undefined): Promise<SingleNode> => {
    const node = await SingleNode.start({ training, engine, faces, sampler, from: state });
    const device = node.engine.split(' ').at(-1) ?? '';
    metrics.board.alone({ host: hostname(), pid: process.pid, device }, training.shards);
    return node;
  };
  if (workers === 0) return startAlone(from);
  try {
    const fleet = await Fleet.start({
      ...{ training, workers, minWorkers, maxWorkers, fallback, liveness, topology, external, listen },
      openSegments: options.sharedMemory ? openSegments(log) : () => Promise.resolve(undefined),
      placement: placeWorkers(workers, machine.gpus, machine.cores),
      ...shared,
    });
    return fallback === 'single-node' ? new LoneSuccessor(fleet, startAlone, log) : fleet;
  } catch (error) {
    if (fallback !== 'single-node' || !(error instanceof WorkersGone)) throw error;
    log(`${error.message}: beginning in this process alone`, { level: 'warn' });
    return startAlone(from);
  }
}
