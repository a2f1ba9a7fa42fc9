import { isMainThread } from 'node:worker_threads';

/**
 * Loaded into every program of a run (see preloading()): the process that evaluates samples ends before it has begun, or
 * never does, as DCGAN_TEST_EVALUATION says.
 */
if (isMainThread && process.argv[1].endsWith('/evaluation-process.js')) {
  if (process.env['DCGAN_TEST_EVALUATION'] === 'ends') process.exit(7);
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}
