import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import sharp from 'sharp';
import { renderChart } from '../src/run/reports/chart-renderer.js';
import { decimate } from '../src/run/reports/decimate.js';
import { lossChart } from '../src/run/reports/loss-chart.js';

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

  it(
    'leaves no process behind when its parent is killed',
    { skip: process.platform !== 'linux' },
    async (t) => {
      const folder = await mkdtemp(join(tmpdir(), 'dcgan-test-'));
      t.after(() => rm(folder, { recursive: true }));
      const script = `
      const { renderChart } = await import(${JSON.stringify(moduleOf('chart-renderer'))});
      const { readFileSync } = await import('node:fs');
      void renderChart({ data: { values: [] }, mark: 'line' });
      const children = () => readFileSync('/proc/self/task/' + process.pid + '/children', 'utf8').trim();
      while (children() === '') await new Promise(setImmediate);
      process.stdout.write(children(), () => process.kill(process.pid, 'SIGKILL'));`;
      const parent = spawn(process.execPath, ['--input-type=module', '-e', script], {
        stdio: ['ignore', 'pipe', 'inherit'],
        env: { ...process.env, TMPDIR: folder },
      });
      const child = Number(await text(parent.stdout));
      assert.ok(child > 0);
      // The child ends by itself as soon as it sees the closed channel. A machine that is busy may need seconds.
      const deadline = Date.now() + 30_000;
      while (isAlive(child)) {
        await setTimeout(20);
        assert.ok(Date.now() < deadline, `process ${child} lives on`);
      }
    },
  );
});

function moduleOf(name: string): string {
  return new URL(`../src/run/reports/${name}.js`, import.meta.url).href;
}

/** A zombie, which nobody has collected yet, is dead. */
function isAlive(pid: number): boolean {
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
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
