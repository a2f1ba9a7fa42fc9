import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import { freePort } from './support/trainer/free-port.js';
import { childrenOf, isAlive, workersOf } from './support/trainer/processes.js';
import type { Program } from './support/trainer/program.js';
import { expectSameRun, readNumbers, readStats, stepsDone } from './support/trainer/run-results.js';
import { ENDLESS, preloading, Workplace } from './support/trainer/workplace.js';
import { until } from './support/wire/until.js';

const STEPS = 120;
const NUMBERS = ['--shards', '2', '--batch-size', '12', '--sample-every', '0', '--checkpoint-every', '20'];
const OPTIONS = [...NUMBERS, '--steps', String(STEPS), '--liveness-timeout', '2'];

// They wait most of the time: for silence to be noticed, and for pauses before restarts.
describe('a run whose workers cannot be had', { concurrency: 3 }, () => {
  let workplace: Workplace;
  before(async () => {
    workplace = await Workplace.make();
    await workplace.quietRun('quiet', [...OPTIONS]);
  });
  after(() => workplace.remove());

  /** A run of workers that cannot live while they are sick. */
  function start(run: string, args: readonly string[]): Program {
    const env = { ...preloading('sick-workers'), SICKNESS: sickness(run) };
    return workplace.start(workplace.training(run, args), env);
  }

  const sickness = (run: string): string => workplace.path(`${run}.sick`);
  const sicken = (run: string, how = 'end'): Promise<void> => writeFile(sickness(run), how);

  async function hasDone(run: string, step: number): Promise<boolean> {
    return (await stepsDone(workplace.path(run))) >= step;
  }

  /** So many of the run's workers, or all, are killed once this step is done, and no new one can live. */
  async function strike(run: string, program: Program, step: number, count?: number): Promise<void> {
    await until(`step ${step}`, () => hasDone(run, step));
    await sicken(run);
    for (const pid of workersOf(program.pid).slice(0, count)) process.kill(pid, 'SIGKILL');
  }

  async function expectTheSame(run: string, program: Program): Promise<readonly string[]> {
    const { code, lines } = await program.ended();
    assert.equal(code, 0, lines.join('\n'));
    await expectSameRun(workplace.path(run), workplace.path('quiet'), lines.join('\n'));
    return lines;
  }

  function count(lines: readonly string[], pattern: RegExp): number {
    return lines.filter((line) => pattern.test(line)).length;
  }

  it('gives a place up after repeated failures with growing pauses, and goes on with the other', async () => {
    const program = start('one-place', ['--workers', '2', ...NUMBERS, ...ENDLESS]);
    await program.line(/^training in/);
    const children = childrenOf(program.pid);
    await strike('one-place', program, 10, 1);
    const [, place] = await program.line(
      /^worker (\d) ended with code 3: the device is gone; it is given up$/,
    );
    assert.deepEqual(
      program.lines
        .filter((line) => line.startsWith(`worker ${place} `) && !line.includes('joins'))
        .map(ending),
      [
        'was killed by SIGKILL; it is started again',
        'ended with code 3: the device is gone; it is started again in 1 s',
        'ended with code 3: the device is gone; it is started again in 2 s',
        'ended with code 3: the device is gone; it is started again in 4 s',
        'ended with code 3: the device is gone; it is given up',
      ],
    );
    const { length } = await readStats(workplace.path('one-place'));
    await until('steps without it', () => hasDone('one-place', Math.max(length + 5, STEPS)));
    program.signal('SIGINT');
    assert.equal((await program.ended()).code, 0);
    const stats = await readStats(workplace.path('one-place'));
    assert.equal(stats[stats.length - 1]['workers'], 1);
    assert.deepEqual(
      (await readNumbers(workplace.path('one-place'))).slice(0, STEPS),
      await readNumbers(workplace.path('quiet')),
    );
    await until('all processes to be gone', () => !children.some(isAlive));
  });

  for (const [run, args, struck, cause] of [
    ['none-left', [], undefined, 'no worker is left'],
    ['too-few-left', ['--min-workers', '2'], 1, 'only 1 worker is left'],
  ] as const)
    it(`goes on in this process from its last checkpoint: ${cause}`, async () => {
      const program = start(run, ['--workers', '2', ...args, ...OPTIONS]);
      await strike(run, program, 50, struck);
      const lines = await expectTheSame(run, program);
      assert.equal(
        count(lines, new RegExp(`^${cause}: continuing in this process alone$`)),
        1,
        lines.join('\n'),
      );
      assert.equal(count(lines, /^no worker holds the state any more: returning to step (40|60|80|100)$/), 1);
      assert.equal(workersOf(program.pid).length, 0);
    });

  it('stops in one line where it is to stop, and has lost nothing', async () => {
    const program = start('stop', ['--workers', '2', '--fallback', 'stop', ...OPTIONS]);
    await strike('stop', program, 50);
    const { code, lines } = await program.ended();
    assert.equal(code, 1);
    assert.match(
      lines[lines.length - 1],
      /^coordinator: no worker is left; the last checkpoint is stop\/checkpoints\/step-000\d{3}\.safetensors: resume it with --resume stop$/,
    );
    assert.equal(count(lines, /^coordinator: /), 1);
    await rm(sickness('stop'));
    const resumed = workplace.start(['train', '--resume', 'stop', '--no-http']);
    await expectTheSame('stop', resumed);
  });

  it('begins in this process where no worker can, or ends with nothing written', async () => {
    await sicken('alone', 'engine');
    await sicken('nothing');
    const alone = start('alone', ['--workers', '2', ...OPTIONS]);
    const nothing = start('nothing', ['--workers', '2', '--fallback', 'stop', ...OPTIONS]);
    const lines = await expectTheSame('alone', alone);
    assert.equal(count(lines, /^no worker is left: beginning in this process alone$/), 1, lines.join('\n'));
    // Its last words may come before its end is noticed, or after.
    const failed =
      /^worker \d( \(pid \d+ on \S+\))? ended with code 1: the compute thread failed: the device is gone; it is given up$/;
    assert.equal(count(lines, failed), 2, lines.join('\n'));
    const ending = await nothing.ended();
    assert.equal(ending.code, 1);
    assert.equal(ending.lines[ending.lines.length - 1], 'coordinator: no worker is left');
    assert.ok(!existsSync(workplace.path('nothing')));
  });

  it('waits with fewer workers than it needs until the others are back', async () => {
    const program = start('two-at-least', ['--workers', '2', '--min-workers', '2', ...OPTIONS]);
    await strike('two-at-least', program, 50, 1);
    await program.line(/^waiting for workers: 1 of 2 are here$/);
    await program.line(/it is started again in 1 s$/);
    await rm(sickness('two-at-least'));
    const lines = await expectTheSame('two-at-least', program);
    assert.equal(count(lines, /joins$/), 1);
    // The one that was left has kept the state.
    assert.equal(count(lines, /no worker holds the state/), 0);
    assert.ok((await readStats(workplace.path('two-at-least'))).every(({ workers }) => workers === 2));
  });

  it('waits for workers from elsewhere as long as it is told to, and Ctrl-C ends that at once', async () => {
    const address = `tcp://127.0.0.1:${await freePort()}`;
    const external = ['--external', '--workers', '1', '--fallback', 'wait', '--listen', address];
    const program = start('external', [...external, ...NUMBERS, ...ENDLESS]);
    const first = workplace.startWorker(['--coordinator', address]);
    await until('step 50', () => hasDone('external', 50));
    first.signal('SIGKILL');
    await program.line(/^waiting for workers: 0 of 1 are here$/);
    const { length } = await readStats(workplace.path('external'));
    const second = workplace.startWorker(['--coordinator', address]);
    await program.line(/^no worker holds the state any more: returning to step \d+$/);
    await until('further steps', () => hasDone('external', Math.max(length + 5, STEPS)));
    second.signal('SIGKILL');
    await until('it to wait again', () => count(program.lines, /^waiting for workers: /) === 2);
    program.signal('SIGINT');
    const { code, lines } = await program.ended();
    assert.equal(code, 130);
    assert.match(
      lines[lines.length - 1],
      /^coordinator: stopped while it waited for workers; the last checkpoint is external\/checkpoints\/\S+: resume it with --resume external$/,
    );
    assert.deepEqual(
      (await readNumbers(workplace.path('external'))).slice(0, STEPS),
      await readNumbers(workplace.path('quiet')),
    );
  });

  it('puts up with workers that say nothing, are killed or are stopped in their handshake', async () => {
    await sicken('handshake', 'hang');
    const program = start('handshake', ['--workers', '2', ...OPTIONS, '--liveness-timeout', '1']);
    await program.line(/^worker \d: said no hello in 6 s$/);
    await sicken('handshake', 'SIGKILL');
    await program.line(/^worker \d \(pid \d+ on \S+\) was killed by SIGKILL; it is started again in \d s$/);
    await sicken('handshake', 'SIGSTOP');
    await program.line(/^worker \d \(pid \d+ on \S+\) was silent for 1 s$/);
    await rm(sickness('handshake'));
    await expectTheSame('handshake', program);
  });
});

/** What became of a worker, without its name. */
function ending(line: string): string {
  return line.replace(/^worker \d (\(pid \d+ on \S+\) )?/, '');
}
