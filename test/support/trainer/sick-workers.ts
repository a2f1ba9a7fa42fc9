import { existsSync, readFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

/**
 * Loaded into every program of a run (`--import`): as long as the file that SICKNESS names is there, new workers cannot
 * live. What it says is how: "hang" and they stay without a word, "engine" and they cannot load theirs, "end" and they
 * end before they have said hello.
 */
const file = process.env['SICKNESS'];
const isWorker = isMainThread && process.argv[1].endsWith('/worker/main.js');
if (isWorker && file !== undefined && existsSync(file)) fallSick(readFileSync(file, 'utf8'));
if (!isMainThread && process.env['SICK_ENGINE'] !== undefined) throw new Error('the device is gone');

function fallSick(how: string): void {
  switch (how) {
    case 'hang':
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
      return;
    case 'engine':
      process.env['SICK_ENGINE'] = 'yes'; // which the compute thread gets
      return;
    default:
      process.stderr.write('worker: the device is gone\n');
      process.exit(3);
  }
}
