import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import sharp from 'sharp';
import { renderChart } from '../src/coordinator/run/chart-renderer.js';
import { decimate } from '../src/coordinator/run/decimate.js';
import { lossChart } from '../src/coordinator/run/loss-chart.js';
import { LossReport } from '../src/coordinator/run/loss-report.js';
import { encodeNumpy } from '../src/coordinator/run/numpy-file.js';
import { oneAtATime } from '../src/coordinator/run/one-at-a-time.js';
import { RunFolder } from '../src/coordinator/run/run-folder.js';
import { StepLog } from '../src/coordinator/run/step-log.js';
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

describe('a decimated curve', () => {
  const index = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

  it('is the curve itself where it fits', () => {
    assert.deepEqual(decimate([3, 1, 2], 4), [
      { index: 0, value: 3 },
      { index: 1, value: 1 },
      { index: 2, value: 2 },
    ]);
  });

  it('keeps the ends, every spike and the order', () => {
    const values = index(100_000).map((i) => Math.sin(i));
    values[12_345] = 50;
    values[54_321] = -50;
    const points = decimate(values, 2000);
    assert.ok(points.length <= 2000 && points.length > 1000);
    assert.deepEqual(points.at(0), { index: 0, value: 0 });
    assert.equal(points.at(-1)?.index, 99_999);
    assert.ok(points.some((point) => point.index === 12_345));
    assert.ok(points.some((point) => point.index === 54_321));
    assert.ok(points.every((point, i) => i === 0 || point.index > points[i - 1].index));
    assert.ok(points.every((point) => point.value === values[point.index]));
  });

  it('by hand: of 5 4 and of 6 7 7 the lowest and the highest', () => {
    assert.deepEqual(
      decimate([0, 5, 4, 6, 7, 7, 1], 6).map((point) => point.index),
      [0, 1, 2, 3, 4, 6],
    );
  });

  it('has no point where there is no number', () => {
    assert.deepEqual(decimate([NaN, 1, Infinity], 4), [{ index: 1, value: 1 }]);
    assert.deepEqual(
      decimate(
        index(100).map(() => NaN),
        10,
      ),
      [],
    );
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

describe('loss.png', () => {
  const steps = Array.from({ length: 200 }, (_, i) => i + 1);
  const chart = lossChart({ steps, generator: steps.map(() => 3), discriminator: steps.map(() => 1) });

  it('draws G at 3 in blue and D at 1 in orange, with letters around', async () => {
    const { data, info } = await sharp(await renderChart(chart))
      .raw()
      .toBuffer({ resolveWithObject: true });
    const rowsOf = (...colour: number[]): number[] => rowsWith(data, info.width, info.channels, 500, colour);
    // The axes reach from y = 60 to 445 for 0.9 to 3.1: 3 is at 77.5 and 1 at 427.5, in the column x = 500.
    assert.deepEqual(rowsOf(0x1f, 0x77, 0xb4), [77]);
    assert.deepEqual(rowsOf(0xff, 0x7f, 0x0e), [427]);
    const ink = (left: number, top: number, right: number, bottom: number): number => {
      let dark = 0;
      for (let y = top; y < bottom; y++) {
        for (let x = left; x < right; x++) if (data[(y * info.width + x) * info.channels] < 128) dark++;
      }
      return dark;
    };
    assert.ok(ink(300, 30, 720, 55) > 500, 'a title');
    assert.ok(ink(470, 470, 560, 492) > 100, 'a title of the x axis');
    assert.ok(ink(60, 230, 90, 270) > 30, 'a title of the y axis');
  });

  it('is refused in one line where the chart is wrong', async () => {
    await assert.rejects(renderChart({ ...chart, mark: 'no-mark' } as unknown as typeof chart), (error) => {
      assert.ok(error instanceof Error);
      assert.match(error.message, /^cannot draw the chart: /);
      return !error.message.includes('\n');
    });
  });

  it('is given up when the run is', async () => {
    const run = new AbortController();
    const picture = renderChart(chart, run.signal);
    setImmediate(() => {
      run.abort();
    });
    await assert.rejects(picture, /abort/);
    await assert.rejects(renderChart(chart, run.signal), /abort/);
  });
});

async function values(path: string): Promise<number[]> {
  const file = await readFile(path);
  const start = 10 + file.readUInt16LE(8);
  return Array.from({ length: (file.length - start) / 4 }, (_, i) => file.readFloatLE(start + 4 * i));
}

/** The rows in which a column of the picture has exactly this colour. */
function rowsWith(
  data: Buffer,
  width: number,
  channels: number,
  x: number,
  colour: readonly number[],
): number[] {
  const rows = [];
  for (let y = 0; y < data.length / width / channels; y++) {
    const start = (y * width + x) * channels;
    if (colour.every((value, channel) => data[start + channel] === value)) rows.push(y);
  }
  return rows;
}
