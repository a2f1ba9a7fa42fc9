import type { Faces, Sampler } from '../data/index.js';
import type { EngineName } from '../engine/engine.js';
import type { ComputeGroup, StateSource } from './compute-group.js';
import { Fleet } from './fleet/fleet.js';
import { placeWorkers } from './fleet/local-workers.js';
import type { RunMetrics } from './metrics/run-metrics.js';
import type { Machine, RunOptions } from './settle-options.js';
import { SingleNode } from './single-node.js';

export interface GroupParts {
  readonly options: RunOptions;
  readonly machine: Machine;
  readonly engine: EngineName;
  readonly faces: Faces;
  readonly sampler: Sampler;
  readonly firstStep: number;
  readonly from: StateSource | undefined;
  readonly metrics: RunMetrics;
  readonly log: (line: string) => void;
  readonly signal: AbortSignal;
}

/** The fleet, or this process alone where there is nothing to distribute. */
export function startGroup(parts: GroupParts): Promise<ComputeGroup> {
  const { options, machine, engine, faces, sampler, from, log } = parts;
  const { training, workers, external, listen } = options;
  if (workers === 0) return SingleNode.start({ training, engine, faces, sampler, from });
  if (listen !== undefined && !/^(ipc:|inproc:|tcp:\/\/(127\.|localhost|\[::1\]))/.test(listen))
    log(`workers connect to ${listen} unencrypted and unauthenticated: keep it inside a network you trust`);
  return Fleet.start({
    training,
    workers,
    external,
    listen,
    engine,
    placement: placeWorkers(workers, machine.gpus, machine.cores),
    faces,
    sampler,
    firstStep: parts.firstStep,
    from,
    metrics: parts.metrics,
    log,
    signal: parts.signal,
  });
}
