import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { stateBytes } from '../src/run/checkpoint/checkpoint-slots.js';
import { Checkpoint } from '../src/run/checkpoint/checkpoint.js';
import { writeCheckpoint } from '../src/run/checkpoint/write-checkpoint.js';
import type { StateCopy } from '../src/model/state-source.js';
import { savedTraining } from '../src/run/saved-options.js';
import { RunFolder } from '../src/run/run-directory.js';
import { ExternalRun } from './support/trainer/external-run.js';
import type { Program } from './support/trainer/program.js';
import {
  expectSameRun,
  readNumbers,
  readStats,
  readTensors,
  stepsDone,
} from './support/trainer/run-results.js';
import { ENDLESS, Workplace } from './support/trainer/workplace.js';
import { until } from './support/wire/until.js';

const INT8 = ['--wire', 'int8', '--shards', '3', '--batch-size', '12', '--sample-every', '0'];
/** A line that says that something is lost. */
const LOST = /what rounding left/;

describe('what rounding left of the gradients, with --wire int8', { concurrency: 2 }, () => {
  let workplace: Workplace;
  before(async () => {
    workplace = await Workplace.make();
    await Promise.all([
      workplace.quietRun('straight', [...INT8, '--steps', '16']),
      workplace.quietRun('one', [...INT8, '--steps', '7']),
      (async () => {
        const { code, lines } = await workplace.run('two', [...INT8, '--steps', '7', '--workers', '2']);
        assert.equal(code, 0, lines.join('\n'));
      })(),
    ]);
  });
  after(() => workplace.remove());

  const resume = (
    run: string,
    how: readonly string[],
  ): Promise<{ code: number | null; lines: readonly string[] }> =>
    workplace.start(['train', '--resume', run, '--steps', '16', ...how]).ended();

  for (const [first, name, how] of [
    ['one', 'from-one-to-two', ['--workers', '2', '--checkpoint-every', '2']],
    ['two', 'from-two-to-one', ['--single-node']],
  ] as const)
    it(`is in checkpoints: a run that goes on is the one that never stopped, ${name}`, async () => {
      await workplace.copyRun(first, name);
      const { code, lines } = await resume(name, how);
      assert.equal(code, 0, lines.join('\n'));
      await expectSameRun(workplace.path(name), workplace.path('straight'), lines.join('\n'));
      assert.ok(!lines.some((line) => LOST.test(line)), lines.join('\n'));
    });

  it('is as good as what it was made of: a checkpoint without it begins at zero, and one line says so', async () => {
    await workplace.copyRun('one', 'without');
    const run = await RunFolder.open(workplace.path('without'));
    const training = await savedTraining(run);
    const path = run.checkpointFile(7);
    const whole = await Checkpoint.open(path, training);
    await whole.close();
    const state = (await readTensors(path)).bytes.subarray(0, stateBytes(training));
    const copy: StateCopy = {
      read: async (take) => {
        await take(state, 0);
      },
    };
    await writeCheckpoint(path, copy, { ...training, wire: 'fp32' }, whole.facts);
    const { code, lines } = await resume('without', ['--single-node']);
    assert.equal(code, 0, lines.join('\n'));
    assert.deepEqual(
      lines.filter((line) => LOST.test(line)),
      [
        'what rounding left of the gradients is not in the checkpoint, and begins at zero again (--wire int8)',
      ],
    );
    const [numbers, straight] = [await readNumbers(run.path), await readNumbers(workplace.path('straight'))];
    assert.deepEqual(
      numbers[7]['discriminatorLoss'],
      straight[7]['discriminatorLoss'],
      'before the next update',
    );
    assert.notDeepEqual(numbers, straight);
  });

  it('is no business of what only draws or exports', async () => {
    for (const [command, out] of [
      ['generate', 'drawn.png'],
      ['export', 'exported'],
    ] as const) {
      const { code, lines } = await workplace
        .start([command, 'two', '--out', out, ...(command === 'export' ? ['--format', 'pytorch'] : [])])
        .ended();
      assert.equal(code, 0, lines.join('\n'));
    }
    // It refuses tensors that it does not know.
    const { code, lines } = await workplace.run('begun', [
      ...[...INT8, '--steps', '1', '--single-node', '--init', 'exported'],
    ]);
    assert.equal(code, 0, lines.join('\n'));
  });

  it('goes with a shard to workers that join, and from one that leaves', async () => {
    const args = [...INT8, '--workers', '1', '--max-workers', '3', ...ENDLESS, '--checkpoint-every', '5'];
    const path = workplace.path('moved');
    const run = await ExternalRun.start(workplace, 'moved', args);
    const join = (): Program =>
      workplace.startWorker(['--coordinator', run.address, '--data', workplace.images]);
    const first = join();
    await run.program.line(/^epoch .* step 1\//);
    // One after the other, or both at once: each gets one of the three shards.
    for (let worker = 1; worker < 3; worker++) join();
    const after = async (workers: number, others: number): Promise<number> => {
      const hosts = (await readStats(path)).map((step) => step['workers']);
      return hosts.slice(hosts.lastIndexOf(others) + 1).filter((each) => each === workers).length;
    };
    await until('steps of three', async () => (await after(3, 2)) > 5, 120_000);
    first.signal('SIGINT');
    await first.line(/^leaving when others have what rounding left here, in 10 s at most/);
    await until('steps of the others', async () => (await after(2, 3)) > 5);
    assert.equal((await first.ended()).code, 0);
    run.program.signal('SIGINT');
    const { code, lines } = await run.program.ended();
    assert.equal(code, 0, lines.join('\n'));
    assert.ok(
      lines.some((line) => /^worker 0 .* cannot go on: it was told to stop \(SIGINT\); its place/.test(line)),
      lines.join('\n'),
    );
    assert.ok(!lines.some((line) => LOST.test(line)), lines.join('\n'));
    await workplace.quietRun('alone', [...INT8, '--steps', String(await stepsDone(path))]);
    await expectSameRun(path, workplace.path('alone'), lines.join('\n'));
  });
});
