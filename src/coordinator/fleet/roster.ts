import type { RunMetrics } from '../metrics/run-metrics.js';

/** joining: told what the run is. admitted: engine and options agree. ready: has its shards, state and images. */
export type MemberState = 'joining' | 'admitted' | 'ready' | 'lost';

export interface Member {
  readonly number: number;
  /** Its connection. */
  readonly peer: string;
  readonly host: string;
  readonly pid: number;
  state: MemberState;
}

/** Who takes part in the run, by number and by connection. */
export class Roster {
  readonly #members = new Map<number, Member>();
  /** The engine of the first worker that was admitted: all must have the same. */
  engine: string | undefined;

  constructor(
    private readonly size: number,
    private readonly metrics: RunMetrics,
  ) {}

  add(member: Member): void {
    this.#members.set(member.number, member);
    this.#count();
  }

  remove({ number }: Member): void {
    this.#members.delete(number);
    // Those who come next need not have the engine of those who left.
    if (this.all().every(({ state }) => state === 'joining')) this.engine = undefined;
    this.#count();
  }

  lose(worker: number): void {
    const member = this.#members.get(worker);
    if (member) member.state = 'lost';
    this.#count();
  }

  has(worker: number): boolean {
    return this.#members.has(worker);
  }

  get(worker: number): Member {
    const member = this.#members.get(worker);
    if (!member) throw new Error(`there is no worker ${worker}`);
    return member;
  }

  ofPeer(peer: string): Member | undefined {
    return this.all().find((member) => member.peer === peer);
  }

  all(): Member[] {
    return [...this.#members.values()];
  }

  /** Whether all the run's workers are here and in this state. Counts them anew for the metrics. */
  allAre(state: MemberState): boolean {
    this.#count();
    return this.#members.size === this.size && this.all().every((member) => member.state === state);
  }

  /** The lowest number that nobody has, or undefined when the run has all its workers. */
  freeNumber(): number | undefined {
    return this.missing().find((worker) => !this.#members.has(worker));
  }

  /** Numbers of those that are not ready. */
  missing(): number[] {
    const numbers = Array.from({ length: this.size }, (_, worker) => worker);
    return numbers.filter((worker) => this.#members.get(worker)?.state !== 'ready');
  }

  /** "(pid 4711 on host)", where it is known. */
  describe(worker: number): string {
    const member = this.#members.get(worker);
    return member ? `(pid ${member.pid} on ${member.host})` : '(which never said hello)';
  }

  #count(): void {
    const count = (...states: MemberState[]): number =>
      this.all().filter(({ state }) => states.includes(state)).length;
    this.metrics.setWorkers({
      joining: count('joining', 'admitted'),
      ready: count('ready'),
      lost: count('lost'),
    });
  }
}
