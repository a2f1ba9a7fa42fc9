import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { strike } from './support/trainer/faults.js';
import { expectSameRun, lastState, readStats } from './support/trainer/run-results.js';
import { Workplace } from './support/trainer/workplace.js';

const OPTIONS = ['--shards', '3', '--batch-size', '12', '--sample-every', '0', '--liveness-timeout', '2'];
const BF16 = [...OPTIONS, '--wire', 'bf16'];

describe('a run with --wire bf16', { concurrency: 2 }, () => {
  let workplace: Workplace;
  before(async () => {
    workplace = await Workplace.make();
    await workplace.quietRun('alone', [...BF16, '--steps', '60']);
  });
  after(() => workplace.remove());

  async function train(run: string, args: readonly string[]): Promise<string> {
    const { code, lines } = await workplace.run(run, args);
    assert.equal(code, 0, lines.join('\n'));
    return workplace.path(run);
  }

  for (const [workers, topology] of [
    [2, 'star'],
    [2, 'ring'],
    [3, 'ring'],
  ] as const)
    it(`has the numbers of one process with ${workers} workers, as a ${topology}`, async () => {
      const args = [...BF16, '--steps', '60', '--workers', String(workers), '--topology', topology];
      await expectSameRun(await train(`${topology}-${workers}`, args), workplace.path('alone'));
    });

  for (const topology of ['star', 'ring'])
    it(`has them where a worker is killed in mid-run, as a ${topology}`, async () => {
      const run = `killed-${topology}`;
      const args = [...BF16, '--steps', '60', '--workers', '2', '--topology', topology];
      const program = workplace.start(workplace.training(run, args));
      assert.equal(await strike(workplace, run, program, [{ step: 20, signal: 'SIGKILL', worker: 1 }]), 1);
      const { code, lines } = await program.ended();
      assert.equal(code, 0, lines.join('\n'));
      await expectSameRun(workplace.path(run), workplace.path('alone'), lines.join('\n'));
    });

  it('goes on as it was, and as nothing else', async () => {
    const run = await train('resumed', [...BF16, '--steps', '30', '--workers', '2']);
    const on = ['train', '--resume', 'resumed', '--steps', '60'];
    const other = await workplace.start([...on, '--wire', 'fp32']).ended();
    assert.equal(other.code, 2);
    assert.deepEqual(other.lines, [
      'coordinator: the run has --wire bf16, which cannot become fp32 when it goes on: start a new run',
    ]);
    const { code, lines } = await workplace.start([...on, '--single-node']).ended();
    assert.equal(code, 0, lines.join('\n'));
    await expectSameRun(run, workplace.path('alone'));
  });

  it('trains one shard with the same rounding in one process and with a worker', async () => {
    const one = ['--shards', '1', '--sample-every', '0', '--steps', '10', '--wire', 'bf16'];
    const alone = await train('one', [...one, '--single-node']);
    await expectSameRun(await train('one-worker', [...one, '--workers', '1']), alone);
  });

  it('sends half the bytes of a run that does not round, whose numbers are near and not the same', async () => {
    const args = [...OPTIONS, '--steps', '3', '--workers', '3', '--topology', 'ring'];
    const [plain, rounded] = [
      await train('plain', args),
      await train('rounded', [...args, '--wire', 'bf16']),
    ];
    assert.ok(!(await lastState(plain)).equals(await lastState(rounded)));
    const [[one, , three], [first, , third]] = [await readStats(plain), await readStats(rounded)];
    assert.equal(first['discriminatorLoss'], one['discriminatorLoss'], 'before the first update');
    assert.ok(Math.abs(third['generatorLoss'] / three['generatorLoss'] - 1) < 1e-2);
    // Batch statistics, measures and envelopes stay as long as they were.
    const share = third['amongWorkersBytes'] / three['amongWorkersBytes'];
    assert.ok(share > 0.5 && share < 0.65, `${share} of the bytes`);
  });
});
