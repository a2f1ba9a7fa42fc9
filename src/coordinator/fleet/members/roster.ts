import type { Sequence } from '../../../wire/sequence.js';
import type { RunMetrics } from '../../../monitoring/metrics/run-metrics.js';

/** joining: told what the run is. ready: engine and options agree, it can take shards. */
export type MemberState = 'joining' | 'ready';

export interface Member {
  readonly number: number;
  /** Its connection. */
  readonly peer: string;
  readonly sequence: Sequence;
  readonly host: string;
  readonly pid: number;
  /** Tells it apart from every other process, wherever that is. */
  readonly process: string;
  /** Addresses for other workers; empty before it is ready, and if no worker connects to it. */
  ways: { readonly addresses: readonly string[]; readonly key: string; readonly token: string };
  /** Memory that it shares with others of its machine, as they find it; empty where it shares none. */
  segment: string;
  /** When it said hello, by awakeTime(). */
  readonly since: number;
  /** When anything came from it last, by performance.now(). */
  heard: number;
  state: MemberState;
  /** Device that it computes on, for display; empty until known. */
  device: string;
  /** The generation that it was told last. */
  generation: number;
}

/** Members of the run, by number and by connection. */
export class Roster {
  readonly #members = new Map<number, Member>();
  /** The engine of the first worker that was admitted: all must have the same. */
  engine: string | undefined;

  constructor(
    /** Workers that the run should have. */
    private readonly size: number,
    private readonly metrics: RunMetrics,
  ) {
    this.count();
  }

  add(member: Member): void {
    this.#members.set(member.number, member);
    this.count();
  }

  remove({ number }: Member): void {
    this.#members.delete(number);
    // Before the first step, those who come next need not have the engine of those who left.
    this.count();
  }

  get(worker: number): Member | undefined {
    return this.#members.get(worker);
  }

  ofPeer(peer: string): Member | undefined {
    return this.all().find((member) => member.peer === peer);
  }

  ofProcess(process: string): Member | undefined {
    return this.all().find((member) => member.process === process);
  }

  all(): Member[] {
    return [...this.#members.values()];
  }

  /** Returns the lowest free number below `limit`. */
  freeNumber(limit: number): number | undefined {
    const numbers = Array.from({ length: limit }, (_, worker) => worker);
    return numbers.find((worker) => !this.#members.has(worker));
  }

  /** For the metrics; to be called where a state has changed. */
  count(): void {
    const ready = this.all().filter(({ state }) => state === 'ready').length;
    this.metrics.board.show(this.all());
    this.metrics.setWorkers({
      joining: this.#members.size - ready,
      ready,
      lost: Math.max(0, this.size - this.#members.size),
    });
  }
}

/** "worker 1 (pid 4711 on host)" */
export function describe({ number, pid, host }: Member): string {
  return `worker ${number} (pid ${pid} on ${host})`;
}
