import { serveParent } from '../../src/data/child-job.js';

/** Reads its parent's request and fills the heap until V8 ends the process. */
serveParent(() => {
  const kept: object[][] = [];
  for (;;) kept.push(Array.from({ length: 100_000 }, () => ({})));
});
