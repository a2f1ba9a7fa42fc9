import { readdirSync, readFileSync } from 'node:fs';

/** Milliseconds between two measurements of the computing. */
const INTERVAL = 1_000;

/** Clock ticks (10 ms) of computing within the limit that count as progress: more than heartbeats and timers take. */
const PROGRESS = 500;

/** A program that computes for so many times the limit, but never shows what the test waits for, has failed too. */
const MOST = 5;

/**
 * A limit in milliseconds of standstill: time in which this process's children computed starts it again. On a busy machine
 * they need longer, and have not failed.
 */
export class StallLimit {
  readonly #start = performance.now();
  #measured = this.#start;
  #mark: { time: number; ticks: number | undefined } = { time: this.#start, ticks: undefined };

  /** `progress`: clock ticks of computing that count as progress. */
  constructor(
    private readonly limit: number,
    private readonly progress = PROGRESS,
  ) {}

  /** To be called for progress of another kind, such as a line of a log. */
  restart(): void {
    this.#mark = { time: performance.now(), ticks: this.#mark.ticks };
  }

  get isOver(): boolean {
    const now = performance.now();
    if (now - this.#measured > INTERVAL) {
      this.#measured = now;
      const ticks = ticksOfDescendants();
      const { time, ticks: before = ticks } = this.#mark;
      const isProgress = ticks < before || ticks - before > this.progress;
      this.#mark = isProgress ? { time: now, ticks } : { time, ticks: before };
    }
    return now - this.#mark.time > this.limit || now - this.#start > MOST * this.limit;
  }
}

/** Computing time of this process's descendants, those that ended included; 0 without /proc. */
function ticksOfDescendants(): number {
  const processes = new Map(numbersOfProcesses().map((pid) => [pid, statOf(pid)]));
  const isDescendant = (pid: number): boolean => {
    const parent = processes.get(pid)?.parent;
    return parent !== undefined && (parent === process.pid || isDescendant(parent));
  };
  let sum = processes.get(process.pid)?.endedChildren ?? 0;
  for (const [pid, stat] of processes) if (stat && isDescendant(pid)) sum += stat.own + stat.endedChildren;
  return sum;
}

function numbersOfProcesses(): number[] {
  try {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number);
  } catch {
    return [];
  }
}

/** Fields 4 and 14 to 17 of /proc/PID/stat. The name before them may hold anything. */
function statOf(pid: number): { parent: number; own: number; endedChildren: number } | undefined {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'latin1')
      .replace(/^.*\) /s, '')
      .split(' ')
      .map(Number);
    return { parent: fields[1], own: fields[11] + fields[12], endedChildren: fields[13] + fields[14] };
  } catch {
    return undefined; // It has ended.
  }
}
