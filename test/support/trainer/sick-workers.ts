import { existsSync, readFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

/**
 * Loaded into every program of a run (`--import`): as long as the file that SICKNESS names is there, new workers cannot
 * live. What it says is how: "hang" and they say no hello, "end" and they end before it; "engine", "SIGKILL" and
 * "SIGSTOP" are what happens to them when they have said it and load their engine.
 */
const file = process.env['SICKNESS'];
const isWorker = isMainThread && process.argv[1].endsWith('/worker/main.js');
if (isWorker && file !== undefined && existsSync(file)) fallSick(readFileSync(file, 'utf8'));
// The compute thread is started when the coordinator has answered the hello.
const inEngine = isMainThread ? undefined : process.env['SICK_ENGINE'];
if (inEngine === 'engine') throw new Error('the device is gone');
if (inEngine !== undefined) process.kill(process.pid, inEngine);

function fallSick(how: string): void {
  switch (how) {
    case 'hang':
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
      return;
    case 'end':
      process.stderr.write('worker: the device is gone\n');
      process.exit(3);
      return;
    default:
      process.env['SICK_ENGINE'] = how;
  }
}
