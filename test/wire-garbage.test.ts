import assert from 'node:assert/strict';
import { constants, PerformanceObserver, type NodeGCPerformanceDetail } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, it } from 'node:test';
import { countReceived } from '../src/wire/minor-gc.js';
import { until } from './support/wire/until.js';

describe('what was received', () => {
  it('is collected with what is young, a few times in 100 MB', async (t) => {
    let forced = 0;
    const observer = new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) {
        const { kind, flags } = (entry as unknown as { detail: NodeGCPerformanceDetail }).detail;
        if (kind !== constants.NODE_PERFORMANCE_GC_MINOR) continue;
        if (flags === constants.NODE_PERFORMANCE_GC_FLAGS_FORCED) forced++;
      }
    });
    observer.observe({ entryTypes: ['gc'] });
    t.after(() => {
      observer.disconnect();
    });
    // Small messages are not worth it.
    for (let message = 0; message < 1_000; message++) countReceived(1_000);
    await pause(50);
    assert.equal(forced, 0);
    for (let chunk = 0; chunk < 100; chunk++) countReceived(2 ** 20);
    await until('5 collections', () => forced === 5);
  });
});
