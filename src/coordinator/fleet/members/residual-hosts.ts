import type { Log } from '../../../common/log.js';
import { Source } from '../../../wire/message.js';
import type { ResidualSource, StateSource } from '../../../model/state-source.js';
import type { Assignment } from './recovery.js';
import type { Member, Roster } from './roster.js';

/** Where what is kept of a shard can be had: of a worker, or of where the run begins. Nowhere: it is nothing. */
export type Keeper = Member | ResidualSource | undefined;

/** How the workers of a membership get what int8 has left of the gradients of their shards. */
export interface ResidualPlan {
  /** For each of a worker's shards, in their order. */
  readonly sources: ReadonlyMap<number, readonly Source[]>;
  /** Which shards each worker hands on. */
  readonly givers: ReadonlyMap<Member, readonly number[]>;
}

/**
 * Who keeps what int8 has left of each shard's gradients. It goes with a shard to another worker, as long as the one that
 * keeps it can be asked; with a worker that is lost it is lost, which is said.
 */
export class ResidualHosts {
  #keepers = new Map<number, Member>();
  /** Who keeps it once the membership that begins is prepared. */
  #next = new Map<number, Member>();
  /** The update of the first membership: before it nothing is left of any, but for what the run begins with. */
  #originUpdate: number | undefined;

  constructor(
    private readonly roster: Roster,
    /** Where the run begins. */
    private origin: StateSource | undefined,
    private readonly log: Log,
  ) {}

  /** The run goes back to where it can begin. */
  rewind(origin: StateSource | undefined): void {
    this.origin = origin;
    this.#originUpdate = undefined;
    this.#keepers.clear();
    this.#next.clear();
  }

  keeperOf(shard: number, update: number): Keeper {
    const member = this.#keepers.get(shard);
    if (member && this.roster.get(member.number) === member) return member;
    return update === this.#originUpdate ? this.origin?.residuals : undefined;
  }

  /** A membership begins. Until its end everybody keeps what he has, since it may be given up. */
  begin(assignments: readonly Assignment[], update: number): ResidualPlan {
    this.#originUpdate ??= update;
    this.#next = new Map();
    const givers = new Map<Member, number[]>();
    const lost: number[] = [];
    const sourceOf = (shard: number, host: Member | undefined): Source => {
      if (host) this.#next.set(shard, host);
      const keeper = this.keeperOf(shard, update);
      if (keeper === undefined) {
        if (this.#keepers.delete(shard) && update !== this.#originUpdate) lost.push(shard);
        return Source.SEED;
      }
      if (keeper === host) return Source.KEEP;
      if (!('read' in keeper)) givers.set(keeper, [...(givers.get(keeper) ?? []), shard]);
      return Source.FETCH;
    };
    const sources = new Map(
      assignments.map(({ worker, shards }) => [
        worker,
        shards.map((shard) => sourceOf(shard, this.roster.get(worker))),
      ]),
    );
    this.#say(lost);
    return { sources, givers };
  }

  /** The membership has begun: everybody has what was meant for him. */
  end(): void {
    for (const [shard, host] of this.#next) this.#keepers.set(shard, host);
    this.#next.clear();
  }

  #say(lost: readonly number[]): void {
    if (lost.length === 0) return;
    const shards = [...lost].sort((one, other) => one - other);
    this.log(
      `shard${shards.length === 1 ? '' : 's'} ${shards.join(', ')} went to another worker: ` +
        'what rounding left of the gradients there begins at zero again (--wire int8)',
      { level: 'warn', event: 'residuals' },
    );
  }
}
