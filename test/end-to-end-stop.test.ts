import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readdir, symlink } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import { childrenOf, isAlive, workersOf } from './support/trainer/processes.js';
import type { Program } from './support/trainer/program.js';
import { readStats, readTensors } from './support/trainer/run-results.js';
import { ENDLESS, Workplace } from './support/trainer/workplace.js';
import { until } from './support/wire/until.js';

/** The name of the newest checkpoint, once there is one. */
async function newestCheckpoint(run: string): Promise<string> {
  return until('a checkpoint', async () => {
    const names = await readdir(`${run}/checkpoints`).catch(() => []);
    return names
      .filter((name) => name.endsWith('.safetensors'))
      .sort()
      .at(-1);
  });
}

// One process starts after the other, which takes one core.
describe('a run that is ended from outside', { concurrency: 2 }, () => {
  let workplace: Workplace;
  before(async () => {
    workplace = await Workplace.make();
  });
  after(() => workplace.remove());

  /** A run that has made its first checkpoint, and the processes it has started. */
  async function train(name: string, args: readonly string[]) {
    const run = workplace.path(name);
    const program = workplace.start(
      workplace.training(run, [
        ...ENDLESS,
        '--checkpoint-every',
        '2',
        '--keep-checkpoints',
        '1000000',
        ...args,
      ]),
    );
    await program.line(/^training in/);
    await newestCheckpoint(run);
    return { run, program, workers: workersOf(program.pid), children: childrenOf(program.pid) };
  }

  function allGone(pids: readonly number[]): Promise<unknown> {
    return until(`${pids.join(', ')} to be gone`, () => !pids.some(isAlive));
  }

  /** Order: exit code 0, and a checkpoint of the last step that was logged. */
  async function expectOrder(run: string, program: Program): Promise<void> {
    const { code, lines } = await program.ended();
    assert.equal(code, 0, lines.join('\n'));
    const steps = (await readStats(run)).length;
    const { metadata } = await readTensors(`${run}/checkpoints/${await newestCheckpoint(run)}`);
    assert.equal(metadata['step'], String(steps));
    assert.match(
      lines[lines.length - 1],
      new RegExp(`^stopped after step ${steps} of 1000000: resume it with`),
    );
  }

  for (const [name, args] of [
    ['alone', ['--single-node']],
    ['with two workers', ['--workers', '2']],
  ] as const)
    for (const [signal, how] of [
      ['SIGINT', 'signal'],
      ['SIGTERM', 'signal'],
      ['SIGHUP', 'signal'],
      ['SIGINT', 'signalGroup'],
      ['SIGHUP', 'signalGroup'],
    ] as const)
      if (!(name === 'alone' && how === 'signalGroup'))
        it(`${name} by ${signal} (${how}) ends in order`, async () => {
          const { run, program, children } = await train(
            `${name}-${signal}-${how}`.replaceAll(' ', '-'),
            args,
          );
          program[how](signal);
          await expectOrder(run, program);
          await allGone(children);
        });

  it('by a second Ctrl-C ends at once, although a worker answers nothing', async () => {
    const { program, workers } = await train('twice', ['--workers', '2']);
    assert.equal(workers.length, 2);
    process.kill(workers[1], 'SIGSTOP');
    program.signal('SIGINT');
    await program.line(/^SIGINT: ending after this step with a checkpoint; once more to end at once$/);
    program.signal('SIGINT');
    const { code } = await program.ended().finally(() => process.kill(workers[1], 'SIGCONT'));
    assert.equal(code, 130);
    await allGone(workers);
  });

  it('by Ctrl-C just after a worker was killed ends in order', async () => {
    const { run, program, workers, children } = await train('one-of-two', ['--workers', '2']);
    process.kill(workers[0], 'SIGKILL');
    program.signal('SIGINT');
    await expectOrder(run, program);
    await allGone(children);
    assert.deepEqual(
      (await readdir(`${run}/checkpoints`)).filter((each) => !each.endsWith('.safetensors')),
      [],
    );
  });

  it('by SIGKILL goes on at once, and while it trained nobody else could', async () => {
    const { run, program } = await train('taken', ['--single-node']);
    await symlink(run, workplace.path('the-same'));
    for (const name of ['taken', 'the-same']) {
      const { code, lines } = await workplace.start(['train', '--no-http', '--resume', name]).ended();
      assert.equal(code, 2, lines.join('\n'));
      assert.deepEqual(lines, [
        `coordinator: ${name} is in use by process ${program.pid} of this machine: wait until it has ended, or end it`,
      ]);
    }
    program.signal('SIGKILL');
    await program.ended();
    const { length } = await readStats(run).catch(() => []);
    const { code, lines } = await workplace
      .start(['train', '--resume', 'taken', '--no-http', '--steps', String(length + 2)])
      .ended();
    assert.equal(code, 0, lines.join('\n'));
    assert.deepEqual(
      (await readStats(run)).map(({ step }) => step),
      Array.from({ length: length + 2 }, (_, index) => index + 1),
    );
    assert.ok(!existsSync(`${run}/run.lock`));
  });

  it('by SIGKILL on the coordinator leaves no process behind', async () => {
    const { program, workers, children } = await train('orphans', ['--workers', '2']);
    assert.equal(workers.length, 2);
    program.signal('SIGKILL');
    assert.equal((await program.ended()).signal, 'SIGKILL');
    await allGone(children);
  });
});
