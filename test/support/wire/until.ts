import { setTimeout as pause } from 'node:timers/promises';

/** Looks again and again until there is something to see. The limit is for what never comes: it fails the test. In ms. */
export async function until<T>(
  what: string,
  look: () => T | Promise<T>,
  limit = 60_000,
  every = 10,
): Promise<NonNullable<T>> {
  const end = performance.now() + limit;
  for (;;) {
    const seen = await look();
    if (seen) return seen;
    if (performance.now() > end) throw new Error(`not seen within ${limit} ms: ${what}`);
    await pause(every);
  }
}
