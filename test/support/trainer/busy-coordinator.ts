import { isMainThread } from 'node:worker_threads';

/**
 * Loaded into every program of a run (see preloading()): SIGUSR2 keeps the coordinator's main thread busy for BUSY
 * milliseconds, while its other threads run on.
 */
const milliseconds = Number(process.env['BUSY']);
if (isMainThread && process.argv[1].endsWith('/cli/main.js'))
  process.on('SIGUSR2', () => {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
    process.stderr.write('the main thread was busy\n');
  });
