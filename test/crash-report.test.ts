import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { CrashReport } from '../src/common/process/crash-report.js';
import { WorkerProcess } from '../src/coordinator/fleet/local-workers/worker-process.js';
import { runChild } from '../src/data/child-job.js';

/** For processes that this one starts: Node fails early, and with `code` before the program begins. */
function limitMemory(t: TestContext, code?: string): void {
  const before = process.env['NODE_OPTIONS'];
  const load = code === undefined ? '' : ` --import=data:text/javascript,${encodeURIComponent(code)}`;
  process.env['NODE_OPTIONS'] = `--max-old-space-size=40${load}`;
  t.after(() => {
    if (before === undefined) delete process.env['NODE_OPTIONS'];
    else process.env['NODE_OPTIONS'] = before;
  });
}

const FILL = 'const kept = []; for (;;) kept.push(Array.from({ length: 100_000 }, () => ({})));';
const OUT_OF_MEMORY =
  /was killed by SIGABRT: it ran out of memory \([^()]*Allocation failed - JavaScript heap out of memory\)$/;

describe('a process that runs out of memory', () => {
  it('puts no stack trace into the log when it is a worker, and says why it ended', async (t) => {
    limitMemory(t, `process.stderr.write('as usual\\n'); ${FILL}`);
    const lines: string[] = [];
    const worker = new WorkerProcess({
      arguments: [],
      placement: { gpu: undefined, cores: [] },
      sockets: undefined,
      onLine: (line) => lines.push(line),
    });
    t.after(() => {
      worker.kill();
    });
    assert.match(await worker.ended, OUT_OF_MEMORY);
    assert.deepEqual(lines, ['as usual']);
  });

  it('explains its end in one line when it is a child that does a job', async (t) => {
    limitMemory(t);
    const job = {
      name: 'that fills the memory',
      entry: new URL('support/out-of-memory-job.js', import.meta.url),
      request: {},
      onEvent: () => undefined,
    };
    await assert.rejects(runChild(job), OUT_OF_MEMORY);
  });
});

describe('the report of a crash', () => {
  const reasonIn = (lines: readonly string[]): [left: string[], reason: string | undefined] => {
    const report = new CrashReport();
    return [lines.filter((line) => !report.take(line)), report.reason];
  };

  it('begins where V8, Node or TensorFlow begin it', () => {
    assert.deepEqual(
      reasonIn([
        'before',
        '',
        '#',
        '# Fatal error in , line 0',
        '# Check failed: a > b.',
        '#',
        '#FailureMessage',
      ]),
      [['before', '', '#'], 'Check failed: a > b.'],
    );
    const trace = ['----- Native stack trace -----', '', ' 1: 0xb78db3 node::Abort() [node]'];
    assert.deepEqual(reasonIn(['node: a.cc:1: Assertion `a` failed.', ...trace]), [
      ['node: a.cc:1: Assertion `a` failed.'],
      undefined,
    ]);
  });

  it('is nothing that a healthy process writes', () => {
    const lines = ['worker 1 joins', ' 1: 0xb78db3', 'a FATAL ERROR: in mid-line', '#1', '--- a'];
    assert.deepEqual(reasonIn(lines), [lines, undefined]);
  });
});
