/** Position of a client in a run: the last step, event and sample that it received. */
export interface Cursor {
  step: number;
  event: number;
  sample: number;
  /** Epoch of the run's files. Steps of another epoch are not comparable. */
  edition: number;
}

const BEGINNING: Cursor = { step: 0, event: 0, sample: -1, edition: 0 };

/** "120:4:100,0:0:-1": a message's id, and so what the browser sends when it comes back. */
export function formatCursors(cursors: readonly Cursor[]): string {
  return cursors.map(({ step, event, sample }) => `${step}:${event}:${sample}`).join(',');
}

/** One for each run; from the beginning where the id is none of ours. */
export function parseCursors(id: string | undefined, runs: number): Cursor[] {
  const parts = id?.split(',').map((part) => /^(\d{1,15}):(\d{1,15}):(-1|\d{1,15})$/.exec(part)) ?? [];
  return Array.from({ length: runs }, (_, run) => {
    const match = parts.length === runs ? parts[run] : undefined;
    if (!match) return { ...BEGINNING };
    return { ...BEGINNING, step: Number(match[1]), event: Number(match[2]), sample: Number(match[3]) };
  });
}
