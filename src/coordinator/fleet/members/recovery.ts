import { StateLost } from '../../executor.js';
import { spreadShards } from './shard-assignment.js';

/** Ways in which a worker gets the state for the next update. */
export type Source =
  /** It has it. */
  | 'keep'
  /**
   * The worker had the state when it was told to fetch another one, and still has it if that fetch was cancelled.
   * Otherwise it notices, reconnects and reports its version.
   */
  | 'still'
  /** It has the one before, and gets the average that it missed. */
  | 'catch up'
  /** It gets all of it: from the plan's holder or, at the run's origin, from where the run begins. */
  | 'fetch';

export interface Assignment {
  readonly worker: number;
  readonly shards: readonly number[];
  readonly source: Source;
}

/** A new generation of the run. */
export interface Plan {
  readonly generation: number;
  readonly assignments: readonly Assignment[];
  /**
   * Worker that holds the state once it has caught up; undefined at the run's origin, and if no worker fetches it.
   */
  readonly holder: number | undefined;
}

interface Member {
  /** The version of its state; undefined where it has none, or a part of one. */
  holds: number | undefined;
  /** While it fetches another state, it may have that one already. */
  isSure: boolean;
  shards: readonly number[];
  /** Has shards of this generation, and has said that it can compute them. */
  prepared: boolean;
}

/**
 * Tracks members, generations and the version of each member's state, and decides what follows when workers join and
 * leave. Pure: no socket, no clock. The version of a state is the number of the next update (see `updateNumber`). A
 * sent message is recorded as done: a connection delivers everything in order, or breaks, and then the worker reports
 * its version when it joins again. So each update is applied exactly once. If no worker received the last one, and
 * its average is gone, it is computed again from the previous state, with the same result.
 */
export class Recovery {
  readonly #members = new Map<number, Member>();
  #generation = 0;
  /** True if all members belong to this generation. */
  #grouped = false;
  /** Version of the run's state. */
  #version: number;
  /** The version before: what a member holds that has missed the last average alone. */
  #before: number | undefined;
  /** True if the coordinator still has the last average. */
  #averageKept = false;
  /** True if this generation repeats the last update. */
  #again = false;

  constructor(
    private readonly shards: number,
    /** The version of the state that the run begins with, which can always be had again. */
    private origin: number,
  ) {
    this.#version = origin;
  }

  /** The version of the state that the run has come to, whether or not anybody holds it. */
  get version(): number {
    return this.#version;
  }

  /** The update that the members make next: the run's next one, or the one before it again. */
  get update(): number {
    return this.#again && this.#before !== undefined ? this.#before : this.#version;
  }

  /** True if the last update must be repeated before the next one. */
  get isBehind(): boolean {
    return this.update !== this.#version;
  }

  get generation(): number {
    return this.#generation;
  }

  /** Members that can host shards. */
  get size(): number {
    return this.#members.size;
  }

  /** True if every member has its shards and the state, so that the next update can be computed. */
  get ready(): boolean {
    return this.#grouped && [...this.#members.values()].every(({ prepared }) => prepared);
  }

  isPrepared(worker: number): boolean {
    return this.#members.get(worker)?.prepared ?? false;
  }

  /** True if the current state is available: from a member, by repeating the last update, or from the origin. */
  get hasState(): boolean {
    const holds = [...this.#members.values()].map((member) => member.holds);
    return this.#version === this.origin || holds.includes(this.#version) || this.#holdsBefore(holds);
  }

  /** Worker of each shard in this generation. */
  workerOfShard(): Map<number, number> {
    const pairs = [...this.#members].flatMap(([worker, { shards }]) =>
      shards.map((shard) => [shard, worker] as const),
    );
    return new Map(pairs);
  }

  /** Returns whether the group depends on this worker. */
  isGrouped(worker: number): boolean {
    return (this.#members.get(worker)?.shards.length ?? 0) > 0;
  }

  /** The numbers of those that hold what the run has come to, for certain. */
  holders(): number[] {
    return this.#numbers().filter((worker) => {
      const { holds, isSure } = this.#memberOf(worker);
      return isSure && holds === this.#version;
    });
  }

  /** A worker that can take shards; `holds` is the version of its state, if it has one. */
  join(worker: number, holds: number | undefined): void {
    this.#members.set(worker, { holds, isSure: true, shards: [], prepared: false });
    this.#grouped = false;
  }

  leave(worker: number): void {
    if (!this.#members.has(worker)) return;
    if (this.isGrouped(worker)) this.#grouped = false;
    this.#members.delete(worker);
    // Where only a newcomer left, the group is as it was.
    this.#grouped ||= [...this.#members.values()].every(({ prepared }) => prepared) && this.#hostsAll();
  }

  /**
   * Starts a generation of all members. If none has the current state or can reach it with the last average, but some
   * have the state before it, the generation starts from that one. Throws StateLost if no member has either: the run
   * must return to a checkpoint. A member that must catch up needs the average and `Apply` along with its shards.
   */
  reassignment(): Plan {
    const numbers = this.#numbers();
    const upToDate = this.#holderOf(this.#version, numbers);
    const holder = upToDate ?? this.#holderOf(this.#before, numbers);
    if (holder === undefined && this.#version !== this.origin) throw new StateLost();
    this.#again = holder !== upToDate && !this.#averageKept;
    this.#generation++;
    this.#grouped = true;
    const hosted = new Map([...this.#members].map(([worker, { shards }]) => [worker, shards]));
    const spread = spreadShards(this.shards, numbers, hosted);
    const assignments = numbers.map((worker) => {
      const member = this.#memberOf(worker);
      const shards = spread.get(worker) ?? [];
      const source = this.#sourceFor(member);
      member.shards = shards;
      member.prepared = false;
      if (source === 'fetch') member.isSure = false;
      else member.holds = this.update;
      return { worker, shards, source };
    });
    const isFetched = assignments.some(({ source }) => source === 'fetch');
    return { generation: this.#generation, assignments, holder: isFetched ? holder : undefined };
  }

  /** A member has the shards and the state that this generation's plan gave it. */
  prepared(worker: number): void {
    const member = this.#memberOf(worker);
    member.prepared = true;
    member.holds = this.update;
    member.isSure = true;
  }

  /**
   * Records that the average of the next update and `Apply` were sent to the group, or that the members averaged
   * themselves and `Apply` was sent. `averageKept`: the coordinator can resend it. `next`: the following update, if
   * an average covers several.
   */
  updated(averageKept: boolean, next = this.update + 1): void {
    if (this.isBehind && next !== this.#version)
      throw new Error(`update ${this.update} already produced version ${this.#version}, now ${next}`);
    this.#before = this.update;
    this.#version = next;
    this.#again = false;
    this.#averageKept = averageKept;
    for (const member of this.#members.values()) if (member.shards.length > 0) member.holds = next;
  }

  /** The last average is not here any more. */
  dropAverage(): void {
    this.#averageKept = false;
  }

  /** The members are the same, and must begin a new generation all the same. */
  scatter(): void {
    this.#grouped = false;
  }

  /** The run goes back to where it can begin: to the state before this update. */
  rewind(update: number): void {
    // Who was preparing for the generation before has another state.
    this.#generation++;
    this.origin = update;
    this.#version = update;
    this.#before = undefined;
    this.#averageKept = false;
    this.#again = false;
    this.#grouped = false;
    for (const member of this.#members.values()) member.prepared = false;
  }

  #holderOf(version: number | undefined, numbers: readonly number[]): number | undefined {
    if (version === undefined) return undefined;
    const holders = numbers.filter((worker) => this.#memberOf(worker).holds === version);
    return holders.find((worker) => this.#memberOf(worker).isSure) ?? holders.at(0);
  }

  #sourceFor({ holds, isSure }: Member): Source {
    if (holds === this.update) return isSure ? 'keep' : 'still';
    return this.#averageKept && holds !== undefined && holds === this.#before ? 'catch up' : 'fetch';
  }

  #holdsBefore(holds: readonly (number | undefined)[]): boolean {
    return this.#before !== undefined && holds.includes(this.#before);
  }

  #hostsAll(): boolean {
    return this.workerOfShard().size === this.shards;
  }

  #numbers(): number[] {
    return [...this.#members.keys()].sort((one, other) => one - other);
  }

  #memberOf(worker: number): Member {
    const member = this.#members.get(worker);
    if (!member) throw new Error(`worker ${worker} is no member`);
    return member;
  }
}
