import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import sharp from 'sharp';
import { LossReport } from '../src/run/reports/loss-report.js';
import { encodeNumpy } from '../src/formats/numpy.js';
import { oneAtATime } from '../src/common/one-at-a-time.js';
import { RunFolder } from '../src/run/run-directory.js';
import { StepLog } from '../src/run/step-log.js';
import { stepRecord } from './support/step-record.js';

/** Nothing should be reported. */
function unexpected(line: string): never {
  throw new Error(line);
}

describe('a numpy file', () => {
  it('has the bytes that numpy writes', async () => {
    const written = await readFile(new URL('../../test/fixtures/npy/losses.npy', import.meta.url));
    const ours = encodeNumpy(Float32Array.of(1.5, -0.25, 3.4028235e38, 0.1, NaN));
    assert.deepEqual(Buffer.from(ours), written);
  });

  it('starts its data at a multiple of 64, whatever the length', () => {
    for (const length of [0, 9, 10, 123_456]) {
      const file = Buffer.from(encodeNumpy(new Float32Array(length)));
      const start = 10 + file.readUInt16LE(8);
      assert.equal(start % 64, 0);
      assert.equal(file.length, start + 4 * length);
      assert.match(file.toString('latin1', 10, start), new RegExp(`'shape': \\(${length},\\), \\} *\n$`));
    }
  });
});

describe('one at a time', () => {
  it('never overlaps, and calls made in between share one further run', async () => {
    let running = 0;
    let runs = 0;
    const job = oneAtATime(async () => {
      assert.equal(++running, 1);
      const run = ++runs;
      await new Promise((resolve) => setImmediate(resolve));
      running--;
      if (run === 1) throw new Error('first');
      return run;
    });
    const first = job();
    const others = [job(), job(), job()];
    await assert.rejects(first, /first/);
    assert.deepEqual(await Promise.all(others), [2, 2, 2]);
    assert.equal(await job(), 3);
  });
});

describe('the loss files of a run', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'dcgan-test-'));
  });
  after(() => rm(folder, { recursive: true }));

  async function runOf(name: string, steps: number): Promise<RunFolder> {
    const run = await RunFolder.create(join(folder, name));
    const log = await StepLog.create(run.statsFile);
    for (let step = 1; step <= steps; step++) await log.append(stepRecord(step));
    await log.close();
    return run;
  }

  it('say what stats.jsonl says, and are whole after two calls at once', async () => {
    const run = await runOf('ten', 10);
    const report = new LossReport(run, unexpected);
    assert.deepEqual(await Promise.all([report.write(), report.write()]), [10, 10]);

    const table = (await readFile(run.lossTable, 'utf8')).trimEnd().split('\n');
    assert.equal(table[0], 'step,generatorLoss,discriminatorLoss');
    assert.deepEqual([table.length, table[3]], [11, '3,1.5,0.75']);
    assert.deepEqual(await values(run.generatorLosses), [0.5, 1, 1.5, 2, 2.5, 3, 3.5, 4, 4.5, 5]);
    assert.deepEqual(
      await values(run.discriminatorLosses),
      [0.25, 0.5, 0.75, 1, 1.25, 1.5, 1.75, 2, 2.25, 2.5],
    );
    const { format, width, height, density } = await sharp(run.lossPicture).metadata();
    assert.deepEqual(
      { format, width, height, density },
      { format: 'png', width: 1000, height: 500, density: 100 },
    );
    assert.ok((await readdir(run.path)).every((name) => !name.endsWith('.tmp')));
  });

  it('of a run without a step are empty, and there is no picture', async () => {
    const run = await runOf('none', 0);
    assert.equal(await new LossReport(run, unexpected).write(), 0);
    assert.deepEqual(await values(run.generatorLosses), []);
    assert.ok(!(await readdir(run.path)).includes('loss.png'));
  });
});

async function values(path: string): Promise<number[]> {
  const file = await readFile(path);
  const start = 10 + file.readUInt16LE(8);
  return Array.from({ length: (file.length - start) / 4 }, (_, i) => file.readFloatLE(start + 4 * i));
}
