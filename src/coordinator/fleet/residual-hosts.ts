import type { Log } from '../../common/log.js';
import type { Assignment } from './recovery.js';
import type { Member, Roster } from './roster.js';

/** Who keeps what int8 has left of each shard's gradients, and says where that is lost: it does not move with a shard. */
export class ResidualHosts {
  #hosts = new Map<number, Member | undefined>();

  constructor(
    private readonly roster: Roster,
    private readonly log: Log,
  ) {}

  /** A membership begins. */
  begin(assignments: readonly Assignment[]): void {
    const hosts = new Map(
      assignments.flatMap(({ worker, shards }) =>
        shards.map((shard) => [shard, this.roster.get(worker)] as const),
      ),
    );
    const moved = [...this.#hosts].filter(([shard, host]) => hosts.get(shard) !== host);
    this.#hosts = hosts;
    if (moved.length === 0) return;
    const shards = moved.map(([shard]) => shard).sort((one, other) => one - other);
    this.log(
      `shard${shards.length === 1 ? '' : 's'} ${shards.join(', ')} went to another worker: ` +
        'what rounding left of the gradients there begins at zero again (--wire int8)',
      { level: 'warn', event: 'residuals' },
    );
  }
}
