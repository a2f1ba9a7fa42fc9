import { PHASES } from '../../../model/phase.js';
import type { RoundName } from '../../../model/round.js';

/** A worker that takes more than so many times as long for a shard as the median of the others ... */
const TIMES = 1.5;
/** ... for so many steps in a row is named; and again only after as many without. */
export const SLOW_STEPS = 20;

export interface Straggler {
  readonly worker: number;
  /** For a shard of the last step, and the median of the other workers. */
  readonly seconds: number;
  readonly others: number;
}

/** Consecutive steps in which a worker was slow, and whether it was reported. */
interface Row {
  isSlow: boolean;
  steps: number;
  isNamed: boolean;
}

/** Detects workers that all others wait for, by their time per shard: a worker with more shards is not slow. */
export class Stragglers {
  /** Seconds for a shard in the phases of the step that is under way, by worker. */
  readonly #phases = new Map<RoundName, ReadonlyMap<number, number>>();
  readonly #rows = new Map<number, Row>();

  /** `rounds`: those of a step. */
  constructor(private readonly rounds: readonly RoundName[] = PHASES) {}

  /**
   * Records the seconds per shard in a phase, by worker. A repeated phase replaces the previous one. Returns the
   * workers to report if this ends the step.
   */
  took(phase: RoundName, secondsOfWorker: ReadonlyMap<number, number>): Straggler[] {
    this.#phases.set(phase, secondsOfWorker);
    if (phase !== this.rounds[this.rounds.length - 1]) return [];
    const times = this.#step();
    this.#phases.clear();
    // Who has left, or does nothing, may be another one under its number when it is back.
    for (const worker of this.#rows.keys()) if (!times.has(worker)) this.#rows.delete(worker);
    const named: Straggler[] = [];
    for (const [worker, seconds] of times) {
      const rest = [...times].filter(([other]) => other !== worker).map(([, other]) => other);
      if (rest.length === 0) continue;
      const others = median(rest);
      if (this.#isToBeNamed(worker, seconds > TIMES * others)) named.push({ worker, seconds, others });
    }
    return named;
  }

  /** Seconds of the workers that computed in all phases of the step. */
  #step(): Map<number, number> {
    const [first, ...later] = this.rounds.map(
      (phase) => this.#phases.get(phase) ?? new Map<number, number>(),
    );
    const times = new Map<number, number>();
    for (const [worker, seconds] of first)
      if (later.every((phase) => phase.has(worker)))
        times.set(
          worker,
          later.reduce((sum, phase) => sum + (phase.get(worker) ?? 0), seconds),
        );
    return times;
  }

  #isToBeNamed(worker: number, isSlow: boolean): boolean {
    const row = this.#rows.get(worker) ?? { isSlow, steps: 0, isNamed: false };
    this.#rows.set(worker, row);
    row.steps = row.isSlow === isSlow ? row.steps + 1 : 1;
    row.isSlow = isSlow;
    if (row.steps < SLOW_STEPS || row.isNamed === isSlow) return false;
    row.isNamed = isSlow;
    return isSlow;
  }
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
