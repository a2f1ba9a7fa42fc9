import { existsSync, readFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

/**
 * Loaded into every program of a run (`--import`): as long as the file that SICKNESS names is there, new workers cannot
 * live. Where it says "hang" they stay without a word, otherwise they end with one.
 */
const file = process.env['SICKNESS'];
if (file !== undefined && isMainThread && process.argv[1].endsWith('/worker/main.js') && existsSync(file)) {
  if (readFileSync(file, 'utf8') === 'hang') Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  process.stderr.write('worker: the device is gone\n');
  process.exit(3);
}
