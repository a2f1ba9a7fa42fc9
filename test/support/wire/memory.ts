import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Takes away everything that nobody needs any more. */
export function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  // The buffers that the first time lets go are given back with the second.
  collect();
  collect();
}

/** MiB that are in use once everything that nobody needs is gone: of JavaScript with its buffers; of the process. */
export function memoryInUse(): { readonly heap: number; readonly resident: number } {
  collectGarbage();
  const { heapUsed, external, rss } = process.memoryUsage();
  return { heap: (heapUsed + external) / 2 ** 20, resident: rss / 2 ** 20 };
}
