import assert from 'node:assert/strict';
import { readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import { expectSameRun, readNumbers } from './support/trainer/run-results.js';
import { SMALL, Workplace } from './support/trainer/workplace.js';

const STEPS = 12;
const OPTIONS = ['--single-node', '--shards', '2', '--sample-every', '0', '--auto-resume'];

describe('a run that is started again and again by the same command', { concurrency: 2 }, () => {
  let workplace: Workplace;
  before(async () => {
    workplace = await Workplace.make();
    await workplace.quietRun('quiet', ['--shards', '2', '--sample-every', '0', '--steps', String(STEPS)]);
    const { code, lines } = await start('done').ended();
    assert.equal(code, 0, lines.join('\n'));
  });
  after(() => workplace.remove());

  const start = (run: string, args: readonly string[] = []): ReturnType<Workplace['start']> =>
    workplace.start(workplace.training(run, [...OPTIONS, '--steps', String(STEPS), ...args]));
  const expectQuiet = (run: string): Promise<void> =>
    expectSameRun(workplace.path(run), workplace.path('quiet'));

  it('begins, goes on where it was, and ends with one line once all is done', async () => {
    const args = ['--checkpoint-every', '5'];
    const first = start('again', args);
    await first.line(/^epoch .* step 1\//);
    first.signal('SIGTERM');
    assert.equal((await first.ended()).code, 143);
    const done = (await readNumbers(workplace.path('again'))).length;
    assert.ok(done < STEPS, 'the run was over before it could be stopped');

    const second = await start('again', args).ended();
    assert.equal(second.code, 0, second.lines.join('\n'));
    assert.ok(second.lines.some((line) => line.includes(`steps ${done + 1} to ${STEPS}`)));
    await expectQuiet('again');

    const third = await start('again', args).ended();
    assert.equal(third.code, 0);
    assert.equal(third.lines.at(-1), 'the run in again has done all its steps');
    await expectQuiet('again');
  });

  it('begins anew where it was killed before its first checkpoint', async () => {
    const first = start('early', ['--checkpoint-every', '0']);
    await first.line(/^epoch .* step 1\//);
    first.signal('SIGKILL');
    await first.ended();
    assert.deepEqual(await readdir(workplace.path('early', 'checkpoints')), []);
    const second = await start('early', ['--checkpoint-every', '0']).ended();
    assert.equal(second.code, 0, second.lines.join('\n'));
    await expectQuiet('early');
  });

  it('begins in a folder that was made and not yet used, or whose log is missing', async () => {
    for (const missing of ['options.json', 'stats.jsonl']) {
      await workplace.copyRun('done', missing);
      const run = workplace.path(missing);
      const kept = ['checkpoints', 'samples', ...(missing === 'options.json' ? [] : ['options.json'])];
      for (const name of await readdir(run))
        if (!kept.includes(name)) await rm(`${run}/${name}`, { recursive: true });
      const emptied = missing === 'options.json' ? ['checkpoints', 'samples'] : ['checkpoints'];
      for (const folder of emptied)
        for (const name of await readdir(`${run}/${folder}`)) await rm(`${run}/${folder}/${name}`);
      const again = await start(missing).ended();
      assert.equal(again.code, 0, again.lines.join('\n'));
      await expectQuiet(missing);
    }
  });

  it('goes on from the newest checkpoint that is whole', async () => {
    const args = ['--checkpoint-every', '4', '--keep-checkpoints', '9'];
    assert.equal((await start('damaged', args).ended()).code, 0);
    await truncate(workplace.path('damaged', 'checkpoints', 'step-000012.safetensors'), 1000);
    const { code, lines } = await start('damaged', args).ended();
    assert.equal(code, 0, lines.join('\n'));
    assert.ok(
      lines.some((line) => /step-000012\.safetensors .*: looking for the one before$/.test(line)),
      lines.join('\n'),
    );
    assert.ok(lines.some((line) => line.includes('steps 9 to 12')));
    await expectQuiet('damaged');
  });

  it('waits for a coordinator of another machine that may be gone', async () => {
    await workplace.copyRun('done', 'held');
    const lock = workplace.path('held', 'run.lock');
    const holder = { host: 'elsewhere', namespace: 'pid:[1]', pid: 1, started: '1', token: '0'.repeat(32) };
    await writeFile(lock, JSON.stringify(holder));
    const program = start('held', ['--checkpoint-every', '4']);
    await program.line(/^held is in use by process 1 on elsewhere, .*; waiting for it$/);
    await rm(lock);
    assert.equal((await program.ended()).code, 0);
  });

  it('refuses a folder of something else, other options, and other ways to go on', async () => {
    await workplace.run('other', [...OPTIONS, '--steps', '1']);
    await rm(workplace.path('other', 'options.json'));
    for (const [args, line] of [
      [['--run-dir', 'other'], /other is not empty: give --run-dir a new folder/],
      [['--run-dir', 'quiet', '--seed', '7'], /the run has --seed 0, which cannot become 7/],
      [[], /--auto-resume needs to know the directory of the run: give --run-dir DIR$/],
      [['--resume', 'quiet'], /--resume and --auto-resume exclude each other$/],
    ] as const) {
      const { code, lines } = await workplace
        .start(['train', '--data', workplace.images, ...SMALL, '--single-node', '--auto-resume', ...args])
        .ended();
      assert.equal(code, 2, lines.join('\n'));
      assert.ok(
        lines.some((each) => line.test(each)),
        lines.join('\n'),
      );
    }
  });
});
