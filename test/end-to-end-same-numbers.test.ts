import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import {
  expectSameRun,
  lastState,
  readNumbers,
  readStats,
  stepsDone,
  type Stats,
} from './support/trainer/run-results.js';
import { Workplace } from './support/trainer/workplace.js';

const STEPS = ['--steps', '20', '--sample-every', '0'];

interface Result {
  readonly numbers: Stats[];
  readonly state: Buffer;
}

async function trainIn(workplace: Workplace, name: string, args: readonly string[]): Promise<Result> {
  const run = workplace.path(name);
  const { code, lines } = await workplace.run(run, [...STEPS, ...args]);
  assert.equal(code, 0, lines.join('\n'));
  return { numbers: await readNumbers(run), state: await lastState(run) };
}

describe('a run of 20 steps and one shard', () => {
  let workplace: Workplace;
  before(async () => {
    workplace = await Workplace.make();
  });
  after(() => workplace.remove());

  it('is the same bit for bit in one process, which trains in one call, and with a worker, which averages', async () => {
    const alone = await trainIn(workplace, 'alone', ['--single-node', '--shards', '1']);
    const averaged = await trainIn(workplace, 'averaged', ['--workers', '1', '--shards', '1']);
    assert.deepEqual(averaged.numbers, alone.numbers);
    assert.ok(averaged.state.equals(alone.state), 'the checkpoints differ');
  });
});

describe('a run of 20 steps and 4 shards', () => {
  let workplace: Workplace;
  let numbers: Stats[];
  let state: Buffer;

  const train = (name: string, args: readonly string[]): Promise<Result> =>
    trainIn(workplace, name, ['--shards', '4', ...args]);

  before(async () => {
    workplace = await Workplace.make();
    ({ numbers, state } = await train('reference', ['--single-node']));
  });
  after(() => workplace.remove());

  it('logs 20 steps, each with other losses', () => {
    assert.deepEqual(
      numbers.map(({ step }) => step),
      Array.from({ length: 20 }, (_, i) => i + 1),
    );
    assert.equal(new Set(numbers.map(({ generatorLoss }) => generatorLoss)).size, 20);
  });

  for (const [name, args] of [
    ['one process, once more', ['--single-node']],
    ['one worker', ['--workers', '1']],
    ['two workers', ['--workers', '2']],
    ['four workers', ['--workers', '4']],
    ['three workers, who cannot share evenly', ['--workers', '3']],
  ] as const) {
    it(`is the same bit for bit with ${name}`, async () => {
      const other = await train(name.replaceAll(/\W+/g, '-'), args);
      assert.deepEqual(other.numbers, numbers);
      assert.ok(other.state.equals(state), 'the checkpoints differ');
    });
  }

  it('is another one with another seed or another number of shards', async () => {
    const seed = await train('seed', ['--single-node', '--seed', '1']);
    assert.notDeepEqual(seed.numbers[0], numbers[0]);
    const shards = await train('shards', ['--single-node', '--shards', '2']);
    assert.notDeepEqual(shards.numbers[0], numbers[0]);
    assert.ok(!seed.state.equals(state) && !shards.state.equals(state));
  });
});

describe('a run of 5 steps of 3 batches each', () => {
  let workplace: Workplace;
  before(async () => {
    workplace = await Workplace.make();
  });
  after(() => workplace.remove());

  it('is the same bit for bit alone, through the coordinator, among workers, and when it goes on', async () => {
    const train = async (name: string, args: readonly string[]): Promise<string> => {
      const run = workplace.path(name);
      const { code, lines } = await workplace.run(run, [
        ...['--shards', '2', '--accumulate', '3', '--sample-every', '0', ...args],
      ]);
      assert.equal(code, 0, lines.join('\n'));
      return run;
    };
    // Two epochs of 96 images are 12 batches of 16: 4 steps, and the fifth begins in the third epoch.
    const alone = await train('alone', ['--steps', '5', '--single-node']);
    const stats = await readStats(alone);
    assert.deepEqual(
      stats.map(({ epoch }) => epoch),
      [1, 1, 2, 2, 3],
    );
    for (const { imagesPerSecond, computeSeconds, averagingSeconds } of stats)
      assert.ok(Math.abs(imagesPerSecond * (computeSeconds + averagingSeconds) - 48) < 1e-6);

    await expectSameRun(await train('star', ['--steps', '5', '--workers', '2', '--topology', 'star']), alone);
    const stopped = await train('stopped', ['--epochs', '1', '--single-node']);
    assert.equal(await stepsDone(stopped), 2);
    const { code, lines } = await workplace
      .start(['train', '--resume', stopped, '--steps', '5', '--workers', '2', '--topology', 'ring'])
      .ended();
    assert.equal(code, 0, lines.join('\n'));
    await expectSameRun(stopped, alone);
  });

  it('is refused where there are fewer images than that, before anything is written', async () => {
    const run = workplace.path('refused');
    const { code, lines } = await workplace.run(run, ['--accumulate', '7', '--steps', '1', '--single-node']);
    assert.equal(code, 2);
    assert.match(
      lines.join('\n'),
      /96 images are fewer than 7 batches of 16: --accumulate can be at most 6$/m,
    );
    assert.ok(!existsSync(run));
  });
});
