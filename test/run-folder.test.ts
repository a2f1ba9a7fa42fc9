import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { UserError } from '../src/common/errors.js';
import { listCheckpoints, pruneCheckpoints } from '../src/run/checkpoint/checkpoint-files.js';
import { RunFolder } from '../src/run/run-directory.js';
import { RunLock } from '../src/run/run-lock.js';

describe("a run's directory", () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'dcgan-test-'));
  });
  after(() => rm(folder, { recursive: true }));

  it('takes the number after the highest, whatever else lies there', async () => {
    const runs = join(folder, 'numbered');
    assert.equal(basename((await RunFolder.create(undefined, runs)).path), '00000');
    await mkdir(join(runs, '00041'));
    await mkdir(join(runs, 'notes'));
    assert.equal(basename((await RunFolder.create(undefined, runs)).path), '00042');
  });

  it('counts numbers of any length exactly, such as dates and times', async () => {
    const runs = join(folder, 'long');
    for (const name of ['20251130175812345', '00000000000000000000000000007', '9007199254740993'])
      await mkdir(join(runs, name), { recursive: true });
    assert.equal(basename((await RunFolder.create(undefined, runs)).path), '20251130175812346');
    assert.equal(basename((await RunFolder.create(undefined, runs)).path), '20251130175812347');
    await mkdir(join(runs, '9'.repeat(255)));
    await assert.rejects(RunFolder.create(undefined, runs), isUserError(/ENAMETOOLONG/));
  });

  it('gives runs that start at once a number each', async () => {
    const runs = join(folder, 'at-once');
    const made = await Promise.all(Array.from({ length: 8 }, () => RunFolder.create(undefined, runs)));
    const numbers = made.map(({ path }) => basename(path)).sort();
    assert.deepEqual(numbers, ['00000', '00001', '00002', '00003', '00004', '00005', '00006', '00007']);
  });

  it('takes a named folder that is new or empty, and once only', async () => {
    const named = join(folder, 'a', 'b');
    await mkdir(named, { recursive: true });
    const runs = await Promise.all([RunFolder.create(named), RunFolder.create(named)]);
    const outcomes = await Promise.allSettled(runs.map((run) => RunLock.take(run)));
    assert.deepEqual(outcomes.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
    await writeFile(runs[0].statsFile, '{}');
    await assert.rejects(RunFolder.create(named), isUserError(/a\/b is not empty: .*--run-dir/));
    for (const outcome of outcomes) if (outcome.status === 'fulfilled') await outcome.value.release();
  });

  it('takes a folder again whose run did no step, but not with anything else in it', async () => {
    const named = join(folder, 'never-begun');
    for (const name of ['checkpoints', 'samples', 'lost+found'])
      await mkdir(join(named, name), { recursive: true });
    const left = ['run.lock', 'run.lock.0f.tmp', 'options.json', 'options.json.0f.tmp', 'events.jsonl'];
    const begun = ['stats.jsonl', 'reals.png', 'samples/step-000000.png'];
    for (const name of [...left, ...begun]) await writeFile(join(named, name), '');
    const run = await RunFolder.create(named);
    for (const name of ['checkpoints/step-000500.safetensors', 'samples/a.png', 'notes.tmp', 'losses.csv']) {
      await writeFile(join(named, name), '');
      await assert.rejects(RunFolder.create(named), isUserError(/is not empty/), name);
      await assert.rejects(run.clear(), isUserError(/is not empty/), name);
      await rm(join(named, name));
    }
    await run.clear();
    assert.deepEqual((await readdir(named)).sort(), [
      ...['checkpoints', 'lost+found', 'options.json.0f.tmp', 'run.lock', 'run.lock.0f.tmp', 'samples'],
    ]);
    await writeFile(run.statsFile, '{}');
    await assert.rejects(RunFolder.create(named), isUserError(/is not empty/));
  });

  it('takes for a step only what a run names so', async () => {
    const run = await RunFolder.create(join(folder, 'steps'));
    const steps = ['000500', '1234567', '9007199254740991'];
    const others = [
      '500',
      '0000500',
      '+00500',
      '1e5',
      '0x1234',
      ' 00001',
      '9007199254740993',
      '9'.repeat(30),
      '',
    ];
    for (const each of [...steps, ...others]) {
      await writeFile(join(run.samples, `step-${each}.png`), '');
      await writeFile(join(run.checkpoints, `step-${each}.safetensors`), '');
    }
    assert.deepEqual(await run.sampleSteps(), [500, 1_234_567, Number.MAX_SAFE_INTEGER]);
    assert.deepEqual(
      (await listCheckpoints(run)).map((path) => basename(path)),
      steps.map((step) => `step-${step}.safetensors`),
    );
    await pruneCheckpoints(run, 1);
    assert.equal((await readdir(run.checkpoints)).length, others.length + 1);
  });

  it('refuses a folder with something in it, and leaves it as it was', async () => {
    const named = join(folder, 'full');
    await mkdir(named);
    await writeFile(join(named, 'letter.txt'), 'dear');
    await assert.rejects(RunFolder.create(named), isUserError(/is not empty/));
    assert.deepEqual(await readdir(named), ['letter.txt']);
  });

  it('refuses a path with a file in the way', async () => {
    const file = join(folder, 'file');
    await writeFile(file, '');
    await assert.rejects(RunFolder.create(file), isUserError(/a file is in the way/));
    await assert.rejects(RunFolder.create(join(file, 'run')), isUserError(/a file is in the way/));
    await assert.rejects(RunFolder.create(undefined, file), isUserError(/a file is in the way/));
  });

  it('keeps options.json, by which a run is known', async () => {
    const run = await RunFolder.create(join(folder, 'run'));
    await assert.rejects(RunFolder.open(run.path), isUserError(/is not a run's directory: .*options\.json/));
    await run.writeOptions({ seed: 7, data: 'faces' });
    assert.deepEqual(JSON.parse(await readFile(join(run.path, 'options.json'), 'utf8')), {
      seed: 7,
      data: 'faces',
    });
    assert.deepEqual(await (await RunFolder.open(run.path)).readOptions(), { seed: 7, data: 'faces' });
    for (const broken of ['{"seed":', '[1]', 'null']) {
      await writeFile(run.optionsFile, broken);
      await assert.rejects(RunFolder.open(run.path), isUserError(/does not hold a JSON object/));
    }
  });

  it('names files as the documentation does', async () => {
    const run = await RunFolder.create(join(folder, 'names'));
    assert.deepEqual((await readdir(run.path)).sort(), ['checkpoints', 'samples']);
    assert.equal(run.samplePicture(500), join(run.path, 'samples/step-000500.png'));
    assert.equal(run.checkpointFile(1_234_567), join(run.path, 'checkpoints/step-1234567.safetensors'));
  });
});

function isUserError(message: RegExp): (error: unknown) => boolean {
  return (error) =>
    error instanceof UserError && message.test(error.message) && !error.message.includes('\n');
}
