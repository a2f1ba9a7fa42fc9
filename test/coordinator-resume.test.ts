import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Command } from 'commander';
import { UserError } from '../src/common/errors.js';
import { addTrainOptions, type TrainArguments } from '../src/options/train-options.js';
import { resumeArguments } from '../src/run/saved-options.js';
import { RunFolder } from '../src/run/run-directory.js';
import { settleOptions } from '../src/options/resolve-options.js';

function parse(line: string): { given: TrainArguments; typed: Set<string> } {
  const command = addTrainOptions(new Command());
  command.parse(line.split(' ').filter(Boolean), { from: 'user' });
  const given = command.opts<TrainArguments>();
  return {
    given,
    typed: new Set(Object.keys(given).filter((name) => command.getOptionValueSource(name) === 'cli')),
  };
}

describe('the arguments of a run that goes on', () => {
  let folder: string;
  let run: RunFolder;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'dcgan-test-'));
    run = await RunFolder.create(join(folder, 'run'));
    const { given } = parse('--workers 2 --steps 10 --seed 3 --batch-size 16 --http 127.0.0.1:1');
    // As settled on a machine with 8 cores: 4 threads for a shard.
    const { training } = settleOptions(given, { cores: 8, gpus: [], lackOfBfloat16: () => undefined });
    await run.writeOptions({ arguments: given, training });
  });
  after(() => rm(folder, { recursive: true }));

  async function resume(line: string): Promise<TrainArguments> {
    const { given, typed } = parse(line);
    return resumeArguments(run, given, typed);
  }

  it('are those of the run, the settled ones included, on whatever machine', async () => {
    const all = await resume('--resume run');
    assert.deepEqual(
      [all.workers, all.steps, all.seed, all.batchSize, all.http],
      [2, 10, 3, 16, '127.0.0.1:1'],
    );
    // 2 cores would give 1 thread.
    const { training } = settleOptions(all, { cores: 2, gpus: [], lackOfBfloat16: () => undefined });
    assert.deepEqual([training.threads, training.shards], [4, 2]);
  });

  it('take what may be said anew, and drop what that replaces', async () => {
    const epochs = await resume('--resume run --epochs 9');
    assert.deepEqual([epochs.epochs, epochs.steps], [9, undefined]);
    assert.equal((await resume('--resume run --steps 20')).steps, 20);
    const alone = await resume('--resume run --single-node');
    assert.deepEqual([alone.singleNode, alone.workers], [true, undefined]);
    assert.equal(
      settleOptions(alone, { cores: 2, gpus: [], lackOfBfloat16: () => undefined }).training.shards,
      2,
    );
    assert.equal((await resume('--resume run --no-http')).http, false);
  });

  it('may say again what the run has, but not change it', async () => {
    assert.equal((await resume('--resume run --seed 3')).seed, 3);
    for (const [changed, message] of [
      ['--seed 4', /^the run has --seed 3, which cannot become 4 on resume: start a new run$/],
      ['--batch-size 32', /--batch-size 16, which cannot become 32/],
      ['--shards 4', /--shards 2, which cannot become 4/],
      ['--threads 1', /--threads 4, which cannot become 1/],
      ['--learning-rate 1', /--learning-rate 0\.0002, which cannot become 1/],
      ['--image-size 32', /--image-size 64, which cannot become 32/],
    ] as const)
      await assert.rejects(
        resume(`--resume run ${changed}`),
        (error) => error instanceof UserError && message.test(error.message),
        changed,
      );
  });

  it('are refused of a folder that holds none', async () => {
    const other = await RunFolder.create(join(folder, 'other'));
    await other.writeOptions({ arguments: {} });
    const { given, typed } = parse('');
    await assert.rejects(resumeArguments(other, given, typed), /options\.json does not hold a run's options/);
  });

  it('do not take other weights to begin with', async () => {
    await assert.rejects(
      resume('--resume run --init /weights'),
      new UserError('the run has no --init, which cannot become /weights on resume: start a new run'),
    );
    const { given } = parse('--seed 3 --init /weights');
    const { training } = settleOptions(given, { cores: 8, gpus: [], lackOfBfloat16: () => undefined });
    const other = await RunFolder.create(join(folder, 'with-weights'));
    await other.writeOptions({ arguments: given, training });
    const again = parse('--resume with-weights --init /weights');
    assert.equal((await resumeArguments(other, again.given, again.typed)).init, '/weights');
    const not = parse('--resume with-weights --init /others');
    await assert.rejects(
      resumeArguments(other, not.given, not.typed),
      new UserError('the run has --init /weights, which cannot become /others on resume: start a new run'),
    );
  });
});
