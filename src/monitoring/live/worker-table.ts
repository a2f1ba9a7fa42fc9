import type { WorkerView } from '../page/api.js';

/** Facts about a worker from the fleet. */
export type WorkerPlace = Pick<WorkerView, 'number' | 'host' | 'pid' | 'device'> & {
  readonly state: 'joining' | 'ready';
};

interface Entry {
  place: WorkerPlace;
  isLost: boolean;
  shards: number;
  readonly phases: Map<string, number>;
}

/** Workers of the run, for display. A lost worker stays until another takes its slot, so the table is bounded. */
export class WorkerBoard {
  readonly #entries = new Map<number, Entry>();
  #alone: Entry | undefined;

  constructor(
    /** Images of a shard in a step. */
    private readonly shardImages: number,
  ) {}

  /** All that are connected now. */
  show(places: readonly WorkerPlace[]): void {
    const present = new Set(places.map(({ number }) => number));
    for (const [number, entry] of this.#entries) if (!present.has(number)) entry.isLost = true;
    for (const place of places) {
      const entry = this.#entries.get(place.number);
      if (entry && !entry.isLost && entry.place.pid === place.pid) entry.place = place;
      else this.#entries.set(place.number, { place, isLost: false, shards: 0, phases: new Map() });
    }
  }

  /** From now on this process computes all shards itself. */
  alone(place: Omit<WorkerPlace, 'number' | 'state'>, shards: number): void {
    this.show([{ ...place, number: 0, state: 'ready' }]);
    this.#alone = this.#entries.get(0);
    if (this.#alone) this.#alone.shards = shards;
  }

  /** Records the phase times of a run without workers. */
  step(phaseSeconds: Readonly<Record<string, number>>): void {
    for (const [phase, seconds] of Object.entries(phaseSeconds)) this.#alone?.phases.set(phase, seconds);
  }

  /** Records the seconds of a worker's shards in a phase. */
  phase(worker: number, phase: string, { seconds, shards }: { seconds: number; shards: number }): void {
    const entry = this.#entries.get(worker);
    if (!entry) return;
    entry.shards = shards;
    entry.phases.set(phase, seconds);
  }

  view(): WorkerView[] {
    return [...this.#entries.values()]
      .sort((one, other) => one.place.number - other.place.number)
      .map((entry) => viewOf(entry, this.shardImages));
  }
}

function viewOf({ place, isLost, shards, phases }: Entry, shardImages: number): WorkerView {
  const { number, host, pid, device, state } = place;
  const seconds = [...phases.values()].reduce((sum, spent) => sum + spent, 0);
  return {
    ...{ number, host, pid, device },
    state: isLost ? 'lost' : state,
    shards: isLost ? 0 : shards,
    imagesPerSecond: isLost || seconds === 0 ? 0 : (shards * shardImages) / seconds,
    phaseSeconds: isLost ? {} : Object.fromEntries(phases),
  };
}
