import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { strike } from './support/trainer/faults.js';
import { expectSameRun, readStats } from './support/trainer/run-results.js';
import { Workplace } from './support/trainer/workplace.js';

const OPTIONS = ['--shards', '3', '--batch-size', '12', '--sample-every', '0', '--liveness-timeout', '2'];
const BF16 = [...OPTIONS, '--wire', 'bf16'];

describe('a run with --wire bf16', { concurrency: 2 }, () => {
  let workplace: Workplace;
  before(async () => {
    workplace = await Workplace.make();
    const ring = ['--workers', '3', '--topology', 'ring'];
    await Promise.all([
      workplace.quietRun('alone', [...BF16, '--steps', '40']),
      train('ring-3', [...BF16, '--steps', '40', ...ring]),
    ]);
  });
  after(() => workplace.remove());

  async function train(run: string, args: readonly string[]): Promise<string> {
    const { code, lines } = await workplace.run(run, args);
    assert.equal(code, 0, lines.join('\n'));
    return workplace.path(run);
  }

  it('has the numbers of one process with three workers, as a ring', async () => {
    await expectSameRun(workplace.path('ring-3'), workplace.path('alone'));
  });

  for (const topology of ['star', 'ring'])
    it(`has them with two workers, one of which is killed in mid-run, as a ${topology}`, async () => {
      const run = `killed-${topology}`;
      const args = [...BF16, '--steps', '40', '--workers', '2', '--topology', topology];
      const program = workplace.start(workplace.training(run, args));
      assert.equal(await strike(workplace, run, program, [{ step: 12, signal: 'SIGKILL', worker: 1 }]), 1);
      const { code, lines } = await program.ended();
      assert.equal(code, 0, lines.join('\n'));
      await expectSameRun(workplace.path(run), workplace.path('alone'), lines.join('\n'));
    });

  it('goes on as it was, and as nothing else', async () => {
    const run = await train('resumed', [...BF16, '--steps', '20', '--workers', '2']);
    const on = ['train', '--resume', 'resumed', '--steps', '40'];
    const other = await workplace.start([...on, '--wire', 'fp32']).ended();
    assert.equal(other.code, 2);
    assert.deepEqual(other.lines, [
      'coordinator: the run has --wire bf16, which cannot become fp32 on resume: start a new run',
    ]);
    const { code, lines } = await workplace.start([...on, '--single-node']).ended();
    assert.equal(code, 0, lines.join('\n'));
    await expectSameRun(run, workplace.path('alone'));
  });

  it('trains one shard with the same rounding in one process and with a worker, in wasm too', async () => {
    const one = [
      '--shards',
      '1',
      '--sample-every',
      '0',
      '--steps',
      '5',
      '--wire',
      'bf16',
      '--engine',
      'wasm',
    ];
    const alone = await train('one', [...one, '--single-node']);
    await expectSameRun(await train('one-worker', [...one, '--workers', '1']), alone);
  });

  it('sends half the bytes of a run that does not round, whose numbers are near and not the same', async () => {
    const plain = await train('plain', [...OPTIONS, '--steps', '3', '--workers', '3', '--topology', 'ring']);
    const [[one, , three], [first, , third]] = [
      await readStats(plain),
      await readStats(workplace.path('ring-3')),
    ];
    assert.equal(first['discriminatorLoss'], one['discriminatorLoss'], 'before the first update');
    assert.notEqual(third['generatorLoss'], three['generatorLoss']);
    assert.ok(Math.abs(third['generatorLoss'] / three['generatorLoss'] - 1) < 1e-2);
    // Batch statistics, measures and envelopes stay as long as they were.
    const share = third['amongWorkersBytes'] / three['amongWorkersBytes'];
    assert.ok(share > 0.5 && share < 0.65, `${share} of the bytes`);
  });
});
