import { SumPlans } from '../../../averaging/sum-plan.js';
import type { Log } from '../../../common/log.js';
import { cutsOf } from '../../../model/round-cuts.js';
import { roundsOf } from '../../../model/round.js';
import type { TrainingOptions } from '../../../model/training-options.js';
import type { Bodies } from '../../../wire/message.js';
import type { Topology } from '../../../averaging/topology.js';
import type { Assignment } from '../members/recovery.js';
import { describe, type Member, type Roster } from '../members/roster.js';

/** With fewer, the way through the coordinator is as short. */
const LEAST_WORKERS = 2;

/** Thrown if a route between two workers is lost. The generation restarts without it. */
export class RouteLost extends Error {
  override readonly name = 'RouteLost';
}

export interface RoutesParts {
  readonly training: TrainingOptions;
  readonly topology: Topology;
  readonly roster: Roster;
  readonly log: Log;
}

/** Chooses the routes of gradients in each generation, and the neighbours of each worker. */
export class Routes {
  #workerOfShard: number[] = [];
  /** Processes of which one cannot send to the other. */
  readonly #broken = new Set<readonly [string, string]>();
  #said = '';

  constructor(private readonly parts: RoutesParts) {}

  /** True if workers listen for connections of other workers. */
  get mayBeAmongWorkers(): boolean {
    return this.parts.topology !== 'star';
  }

  get amongWorkers(): boolean {
    return this.#workerOfShard.length > 0;
  }

  /** A generation begins with these. */
  begin(assignments: readonly Assignment[]): void {
    const serving = assignments.filter(({ shards }) => shards.length > 0);
    this.#workerOfShard = this.#areReachable(serving) ? workersOfShards(serving) : [];
    this.#say(serving);
  }

  /** Returns the part of an assignment that describes the routes. */
  of(worker: number): Pick<Bodies['assignment'], 'workerOfShard' | 'neighbours'> {
    if (!this.#workerOfShard.includes(worker)) return { workerOfShard: [], neighbours: [] };
    const { training, roster } = this.parts;
    const plans = new SumPlans(training.summation, this.#workerOfShard).at(worker);
    const parts = Math.max(...roundsOf(training).map((round) => cutsOf(training)(round).length));
    const neighbours = plans.neighbours(parts).flatMap((number) => {
      const member = roster.get(number);
      if (!member) return [];
      const { host, ways, segment } = member;
      return [{ worker: number, host, ...ways, addresses: [...ways.addresses], segment }];
    });
    return { workerOfShard: this.#workerOfShard, neighbours };
  }

  /** Gradients go through the coordinator for as long as both of them take part. */
  unreachable(from: Member, { worker, reason }: Bodies['unreachable']): RouteLost {
    const { roster, log } = this.parts;
    const other = roster.get(worker);
    if (other) this.#broken.add([from.process, other.process]);
    const message = `${describe(from)} cannot send to ${other ? describe(other) : `worker ${worker}`}: ${reason}`;
    log(`${message}; gradients go through the coordinator while both take part`, {
      level: 'warn',
      worker: from.number,
      event: 'unreachable',
    });
    return new RouteLost(message);
  }

  #areReachable(serving: readonly Assignment[]): boolean {
    const { topology, roster } = this.parts;
    if (topology === 'star' || serving.length < LEAST_WORKERS) return false;
    for (const pair of this.#broken)
      if (!pair.every((process) => roster.ofProcess(process))) this.#broken.delete(pair);
    const members = serving.map(({ worker }) => roster.get(worker));
    const processes = members.map((member) => member?.process ?? '');
    return (
      members.every((member) => member && member.ways.addresses.length > 0) &&
      ![...this.#broken].some((pair) => pair.every((process) => processes.includes(process)))
    );
  }

  #say(serving: readonly Assignment[]): void {
    const { training, roster, log } = this.parts;
    const hosts = new Set(serving.map(({ worker }) => roster.get(worker)?.host)).size;
    const shape = training.summation === 'pairwise' ? 'a tree' : 'a ring';
    const way = this.amongWorkers
      ? `among ${serving.length} workers on ${hosts} host${hosts === 1 ? '' : 's'}, as ${shape}`
      : 'through the coordinator, as a star';
    if (way !== this.#said) log(`gradients go ${way}`);
    this.#said = way;
  }
}

function workersOfShards(serving: readonly Assignment[]): number[] {
  const pairs = serving.flatMap(({ worker, shards }) => shards.map((shard) => [shard, worker] as const));
  return pairs.sort(([one], [other]) => one - other).map(([, worker]) => worker);
}
