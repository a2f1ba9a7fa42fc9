import { setTimeout as pause } from 'node:timers/promises';
import { StallLimit } from '../stall-limit.js';

/**
 * Polls until there is something to see. Rejects if nothing comes in `limit` milliseconds in which the programs under test
 * stand still.
 */
export async function until<T>(
  what: string,
  look: () => T | Promise<T>,
  limit = 60_000,
  every = 10,
): Promise<NonNullable<T>> {
  const stall = new StallLimit(limit);
  for (;;) {
    const seen = await look();
    if (seen) return seen;
    if (stall.isOver) throw new Error(`not seen within ${limit} ms: ${what}`);
    await pause(every);
  }
}
