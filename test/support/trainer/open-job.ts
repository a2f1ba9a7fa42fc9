import { createServer } from 'node:net';
import { serveParent } from '../../../src/data/child-job.js';

/** The entry of a child process that leaves something open when its job is done. */
serveParent(() => {
  createServer().listen(0, '127.0.0.1');
  return Promise.resolve({ isDone: true });
});
