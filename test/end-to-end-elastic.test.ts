import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { randomStream } from '../src/common/random.js';
import { strike, type Fault } from './support/trainer/faults.js';
import { isAlive, childrenOf } from './support/trainer/processes.js';
import { expectSameRun, readStats } from './support/trainer/run-results.js';
import { Workplace } from './support/trainer/workplace.js';
import { until } from './support/wire/until.js';

/** A worker that was killed is back after some 60 to 100: there are steps with it and without it. */
const STEPS = 160;
const SHARDS = 3;
const OPTIONS = [
  ...['--shards', String(SHARDS), '--batch-size', '12', '--steps', String(STEPS)],
  ...['--sample-every', '40', '--checkpoint-every', '30', '--liveness-timeout', '2'],
];

const TOPOLOGIES = ['star', 'ring', 'tree'] as const;

/** Two to four faults at random steps. A stopped worker goes on a little later, or never. */
function randomSchedule(seed: number): Fault[] {
  const stream = randomStream(seed, 'schedule');
  const faults: Fault[] = [];
  let step = 0;
  for (let left = uniformInt(stream, 2, 4); left > 0; left--) {
    step += uniformInt(stream, 1, 40);
    const worker = uniformInt(stream, 0, SHARDS - 1);
    const what = uniformInt(stream, 0, 9);
    if (what < 6) faults.push({ step, signal: 'SIGKILL', worker });
    else if (what < 7) faults.push({ step, signal: 'SIGKILL', worker: 'all' });
    else if (what < 8) faults.push({ step, signal: 'SIGSTOP', worker });
    else faults.push({ step, signal: 'SIGSTOP', worker }, { step, signal: 'SIGCONT', worker });
  }
  return faults;
}

// Each waits most of the time: for silence to be noticed, and for pauses before restarts.
describe('a run whose workers come and go', { concurrency: 3 }, () => {
  let workplace: Workplace;
  before(async () => {
    workplace = await Workplace.make();
    await workplace.quietRun('quiet', [...OPTIONS]);
    await workplace.quietRun('quiet-tree', [...OPTIONS, '--topology', 'tree']);
  });
  after(() => workplace.remove());

  async function expectTheSame(
    run: string,
    workers: number,
    faults: readonly Fault[],
    topology = 'ring',
  ): Promise<string[]> {
    const args = ['--workers', String(workers), '--topology', topology, ...OPTIONS];
    const program = workplace.start(workplace.training(run, args));
    await program.line(/^training in/);
    const children = childrenOf(program.pid);
    const sent = await strike(workplace, run, program, faults);
    const { code, lines } = await program.ended();
    const story = `${JSON.stringify(faults)}\n${lines.join('\n')}`;
    assert.equal(code, 0, story);
    assert.ok(sent >= faults.length - 1, `only ${sent} of the faults happened: ${story}`);
    const quiet = topology === 'tree' ? 'quiet-tree' : 'quiet';
    await expectSameRun(workplace.path(run), workplace.path(quiet), story);
    await until('all processes to be gone', () => !children.some(isAlive));
    return [...lines];
  }

  it('goes on without a worker that is killed, starts it again, and says so', async () => {
    const lines = await expectTheSame('one', 3, [{ step: 10, signal: 'SIGKILL', worker: 1 }]);
    assert.equal(lines.filter((line) => / was killed by SIGKILL; it is started again$/.test(line)).length, 1);
    const workers = (await readStats(workplace.path('one'))).map((step) => step['workers']);
    assert.equal(workers[0], 3);
    assert.ok(workers.includes(2), 'some steps were done by two workers');
  });

  it('misses a worker that is stopped', async () => {
    const lines = await expectTheSame('stopped', 2, [{ step: 20, signal: 'SIGSTOP', worker: 0 }]);
    assert.ok(lines.some((line) => /^worker \d \(pid \d+ on \S+\) was silent for 2 s$/.test(line)));
  });

  it('goes back to its last checkpoint where all workers are gone at once', async () => {
    const lines = await expectTheSame('all', 2, [{ step: 70, signal: 'SIGKILL', worker: 'all' }]);
    assert.ok(lines.some((line) => /^no worker holds the state any more: returning to step \d+/.test(line)));
  });

  for (let seed = 1; seed <= 12; seed++)
    it(`has the numbers of a quiet one, by random schedule ${seed} in a ${TOPOLOGIES[seed % 3]}`, async () => {
      const workers = 2 + (seed % 2);
      const topology = TOPOLOGIES[seed % 3];
      await expectTheSame(`random-${seed}`, workers, randomSchedule(seed), topology);
    });
});
