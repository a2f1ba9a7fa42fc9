import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { freePort } from './support/trainer/free-port.js';
import { Program } from './support/trainer/program.js';
import { expectSameRun, lastState, readNumbers } from './support/trainer/run-results.js';
import { preloading, Workplace } from './support/trainer/workplace.js';

const OPTIONS = ['--shards', '5', '--batch-size', '20', '--steps', '12', '--sample-every', '0'];

// Each waits for processes that start.
describe('gradients that go among workers', { concurrency: 2 }, () => {
  let workplace: Workplace;
  before(async () => {
    workplace = await Workplace.make();
    await workplace.quietRun('alone', OPTIONS);
    await workplace.quietRun('alone-in-pairs', [...OPTIONS, '--topology', 'tree']);
  });
  after(() => workplace.remove());

  const among = (workers: number, hosts: number, shape: string): RegExp =>
    new RegExp(
      `^gradients go among ${workers} workers on ${hosts} host${hosts === 1 ? '' : 's'}, as a ${shape}$`,
    );

  async function expectTheSame(
    run: string,
    args: readonly string[],
    line: RegExp,
    as = 'alone',
  ): Promise<void> {
    const { code, lines } = await workplace.run(run, [...OPTIONS, ...args]);
    assert.equal(code, 0, lines.join('\n'));
    assert.ok(
      lines.some((each) => line.test(each)),
      lines.join('\n'),
    );
    await expectSameRun(workplace.path(run), workplace.path(as));
  }

  for (const [workers, topology, as, ...sharing] of [
    [2, 'ring', 'alone'],
    [3, 'ring', 'alone', '--no-shared-memory'],
    [5, 'ring', 'alone'],
    [3, 'tree', 'alone-in-pairs'],
    [5, 'tree', 'alone-in-pairs', '--no-shared-memory'],
  ] as const)
    it(`give the numbers of one process, as a ${topology} of ${workers} ${sharing.join()}`, async () => {
      const args = ['--workers', String(workers), '--topology', topology, ...sharing];
      await expectTheSame(`${topology}-${workers}`, args, among(workers, 1, topology), as);
    });

  it('are added in another order by a tree, which tells in the last digits', async () => {
    const [one, other] = await Promise.all([
      readNumbers(workplace.path('alone')),
      readNumbers(workplace.path('alone-in-pairs')),
    ]);
    assert.deepEqual(other[0]['discriminatorLoss'], one[0]['discriminatorLoss'], 'before the first update');
    const [last, lastInPairs] = [one, other].map((numbers) => Number(numbers.at(-1)?.['discriminatorLoss']));
    assert.ok(Math.abs(lastInPairs / last - 1) < 1e-3, `${lastInPairs} and ${last}`);
    assert.ok(
      !(await lastState(workplace.path('alone'))).equals(await lastState(workplace.path('alone-in-pairs'))),
    );
  });

  it('may go another way when the run goes on, unless that would change its numbers', async () => {
    const on = (run: string, topology: string, steps: number): string[] => [
      ...['train', '--resume', run, '--workers', '2', '--topology', topology, '--steps', String(steps)],
    ];
    const first = [...OPTIONS, '--steps', '4', '--workers', '3', '--topology'];
    const begun = await Promise.all([
      workplace.run('changing', [...first, 'star']),
      workplace.run('pairs', [...first, 'tree']),
    ]);
    assert.deepEqual(
      begun.map(({ code }) => code),
      [0, 0],
    );
    for (const [run, topology, steps, as] of [
      ['changing', 'ring', 8, undefined],
      ['changing', 'auto', 12, 'alone'],
      ['pairs', 'star', 12, 'alone-in-pairs'],
    ] as const) {
      const { code, lines } = await workplace.start(on(run, topology, steps)).ended();
      assert.equal(code, 0, lines.join('\n'));
      if (as !== undefined) await expectSameRun(workplace.path(run), workplace.path(as));
    }
    const refused = await workplace.start(on('pairs', 'ring', 16)).ended();
    assert.equal(refused.code, 2);
    assert.deepEqual(refused.lines, [
      'coordinator: the run adds gradients as a tree does, and cannot resume as a ring: its numbers would change',
    ]);
  });

  it('are encrypted between hosts', async () => {
    const keys = workplace.path('keys');
    const made = await workplace.start(['keys', keys]).ended();
    assert.equal(made.code, 0, made.lines.join('\n'));
    const lines = await fromTwoHosts('encrypted', 'ring', ['--keys', keys]);
    assert.ok(lines.some((line) => among(2, 2, 'ring').test(line)));
    assert.ok(!lines.some((line) => line.includes('cannot send')), lines.join('\n'));
  });

  it('go through the coordinator where workers cannot reach each other', async () => {
    // Without keys they listen for processes of their own machine alone.
    const lines = await fromTwoHosts('apart', 'ring', []);
    assert.equal(
      lines.filter((line) =>
        /^worker \d \(pid \d+ on \S+\) cannot send to worker \d .*: no connection to it at ipc:\S+; gradients go through the coordinator while both take part$/.test(
          line,
        ),
      ).length >= 1,
      true,
      lines.join('\n'),
    );
    assert.ok(lines.includes('gradients go through the coordinator, as a star'));
  });

  /** Two workers that take themselves for ones of other machines. Returns what the coordinator says. */
  async function fromTwoHosts(
    run: string,
    topology: string,
    keys: readonly string[],
  ): Promise<readonly string[]> {
    const address = `tcp://127.0.0.1:${await freePort()}`;
    const coordinator = workplace.start(
      workplace.training(run, [
        ...[...OPTIONS, '--external', '--workers', '2', '--listen', address, '--topology', topology],
        ...keys,
      ]),
    );
    const workers: Program[] = [0, 1].map(() =>
      workplace.startWorker(['--coordinator', address, ...keys], 'cache', preloading('another-host')),
    );
    const endings = await Promise.all([coordinator, ...workers].map((program) => program.ended()));
    const story = endings.map(({ lines }) => lines.join('\n')).join('\n\n');
    assert.deepEqual(
      endings.map(({ code }) => code),
      [0, 0, 0],
      story,
    );
    await expectSameRun(workplace.path(run), workplace.path('alone'), story);
    return endings[0].lines;
  }
});
