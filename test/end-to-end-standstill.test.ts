import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import { after, before, describe, it } from 'node:test';
import { ExternalRun } from './support/trainer/external-run.js';
import { workersOf } from './support/trainer/processes.js';
import type { Program } from './support/trainer/program.js';
import { expectSameRun, stepsDone } from './support/trainer/run-results.js';
import { preloading, Workplace } from './support/trainer/workplace.js';
import { until } from './support/wire/until.js';

const STEPS = 80;
const SAME = ['--shards', '2', '--steps', String(STEPS), '--sample-every', '0', '--checkpoint-every', '0'];
/** Longer than anything waits that counts in silences: a phase and a hello, six of them. In milliseconds. */
const STANDSTILL = 7_500;
const WORKERS = ['--workers', '2', '--liveness-timeout', '1'];

/** Lets a coordinator stand still. */
type Stop = (program: Program) => Promise<void>;

async function alone(program: Program): Promise<void> {
  program.signal('SIGSTOP');
  await pause(STANDSTILL);
  program.signal('SIGCONT');
}

async function withItsWorkers(program: Program): Promise<void> {
  program.signalGroup('SIGSTOP');
  await pause(STANDSTILL);
  program.signalGroup('SIGCONT');
}

async function busy(program: Program): Promise<void> {
  program.signal('SIGUSR2');
  await program.line(/^the main thread was busy$/);
}

// Each waits most of the time.
describe('a coordinator that stands still for longer than silence is tolerated', { concurrency: 4 }, () => {
  let workplace: Workplace;
  before(async () => {
    workplace = await Workplace.make();
    await workplace.quietRun('quiet', SAME);
  });
  after(() => workplace.remove());

  /** In the middle of the run, a little after one of its steps. */
  async function standStill(run: string, program: Program, stop: Stop): Promise<void> {
    await until('20 steps', async () => (await stepsDone(workplace.path(run))) >= 20);
    await stop(program);
  }

  async function expectTheQuietRun(run: string, program: Program): Promise<readonly string[]> {
    const { code, lines } = await program.ended();
    const story = lines.join('\n');
    assert.equal(code, 0, story);
    await expectSameRun(workplace.path(run), workplace.path('quiet'), story);
    assert.deepEqual(
      lines.filter((line) => /returning to|restarting from|was killed|started again/.test(line)),
      [],
      story,
    );
    return lines;
  }

  for (const [what, name, stop, topology] of [
    ['is stopped alone, as a star', 'alone', alone, 'star'],
    ['is stopped together with its workers, as a ring', 'together', withItsWorkers, 'ring'],
    ['has a busy main thread, as a star', 'busy', busy, 'star'],
  ] as const)
    it(`keeps its own workers and their state when it ${what}`, async () => {
      const args = workplace.training(name, [...WORKERS, ...SAME, '--topology', topology]);
      const program = workplace.start(args, { ...preloading('busy-coordinator'), BUSY: String(STANDSTILL) });
      await program.line(/^training in/);
      const workers = workersOf(program.pid);
      assert.equal(workers.length, 2);
      await standStill(name, program, stop);
      const done = await stepsDone(workplace.path(name));
      assert.ok(done < STEPS, `the run was over before the standstill: ${done} steps`);
      // The same processes compute the next steps.
      await until('a step after it', async () => (await stepsDone(workplace.path(name))) > done);
      assert.deepEqual(workersOf(program.pid), workers);
      const lines = await expectTheQuietRun(name, program);
      if (name !== 'together')
        assert.ok(lines.some((line) => /^worker \d: lost the coordinator, connecting again: /.test(line)));
    });

  it('keeps workers from elsewhere and their state', async () => {
    const run = await ExternalRun.start(workplace, 'external', [...WORKERS, ...SAME]);
    const workers = [0, 1].map(() => workplace.startWorker(['--coordinator', run.address]));
    await standStill('external', run.program, alone);
    await expectTheQuietRun('external', run.program);
    for (const worker of workers) {
      await worker.line(/^lost the coordinator, connecting again: /);
      assert.equal((await worker.ended()).code, 0);
    }
  });
});
