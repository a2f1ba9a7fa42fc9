import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import sharp from 'sharp';
import { evenly } from '../src/run/reports/samples-animation.js';
import { smooth } from '../src/run/reports/smooth.js';
import type { Ending } from './support/trainer/program.js';
import { Workplace } from './support/trainer/workplace.js';

const GRID = 8 * (32 + 2) + 2;

describe('what a run leaves to look at', () => {
  let workplace: Workplace;
  before(async () => {
    workplace = await Workplace.make();
    const args = ['--single-node', '--shards', '2', '--steps', '9', '--sample-every', '2', '--no-http'];
    const { code, lines } = await workplace.run('run', args);
    assert.equal(code, 0, lines.join('\n'));
  });
  after(() => workplace.remove());

  const pixels = async (...names: string[]): Promise<Buffer> =>
    sharp(workplace.path(...names))
      .removeAlpha()
      .raw()
      .toBuffer();
  const call = async (...args: string[]): Promise<Ending> => {
    const ending = await workplace.start(args).ended();
    assert.equal(ending.code, 0, ending.lines.join('\n'));
    return ending;
  };

  it('has the samples step by step, as a gif and as a webp', async () => {
    for (const format of ['gif', 'webp']) {
      const file = workplace.path('run', `samples.${format}`);
      const { pages, width, pageHeight, delay, loop } = await sharp(file, { animated: true }).metadata();
      // Steps 0, 2, 4, 6, 8 and 9.
      assert.deepEqual([pages, width, pageHeight, loop], [6, GRID, GRID, 0], format);
      assert.deepEqual(delay, [200, 200, 200, 200, 200, 2000]);
    }
    const first = await sharp(workplace.path('run', 'samples.webp'), { page: 0 })
      .removeAlpha()
      .raw()
      .toBuffer();
    const last = await sharp(workplace.path('run', 'samples.webp'), { page: 5 })
      .removeAlpha()
      .raw()
      .toBuffer();
    const far = (a: Buffer, b: Buffer): number =>
      a.reduce((sum, value, i) => sum + Math.abs(value - b[i]), 0) / a.length;
    const [untrained, trained] = await Promise.all(
      ['step-000000.png', 'step-000009.png'].map((name) => pixels('run', 'samples', name)),
    );
    // It is compressed: each frame is nearest to the picture that it was made of.
    assert.ok(far(first, untrained) < Math.min(16, far(first, trained)));
    assert.ok(far(last, trained) < Math.min(16, far(last, untrained)));
  });

  it('has real and generated images side by side', async () => {
    const { width, height } = await sharp(workplace.path('run', 'real-vs-fake.png')).metadata();
    assert.ok(
      width > 2 * GRID && width < 3 * GRID && height > GRID && height < 1.5 * GRID,
      `${width} ${height}`,
    );
    const all = await pixels('run', 'real-vs-fake.png');
    // Each picture is somewhere in it, pixel by pixel: its first row of faces is looked for.
    for (const names of [['reals.png'], ['samples', 'step-000009.png']]) {
      const picture = await pixels('run', ...names);
      const row = picture.subarray(20 * GRID * 3, 20 * GRID * 3 + 60 * 3);
      assert.ok(all.includes(row), names.join('/'));
    }
  });

  it('has its loss plot smoothed where that is asked for, and as it was where not', async () => {
    const before = await readFile(workplace.path('run', 'loss.png'));
    await call('plot', 'run', '--smooth', '0.9');
    assert.ok(!(await readFile(workplace.path('run', 'loss.png'))).equals(before));
    await call('plot', 'run');
    assert.ok((await readFile(workplace.path('run', 'loss.png'))).equals(before));
  });

  it('draws the same face in whatever it is asked for', async () => {
    const { stdout } = await call(
      'generate',
      'run',
      '--count',
      '3',
      '--each',
      '--out',
      'each',
      '--seed',
      '5',
    );
    assert.equal(stdout, 'each: 3 faces from step 9\n');
    assert.deepEqual(await readdir(workplace.path('each')), [
      'face-0000.png',
      'face-0001.png',
      'face-0002.png',
    ]);
    const face = await pixels('each', 'face-0000.png');
    await call('generate', 'run', '--seeds', '9', '5', '--each', '--out', 'seeds');
    assert.ok((await pixels('seeds', 'face-0001.png')).equals(face));
    await call('generate', 'run', '--between', '5', '9', '--frames', '4', '--each', '--out', 'between');
    assert.equal((await readdir(workplace.path('between'))).length, 5);
    assert.ok((await pixels('between', 'face-0000.png')).equals(face));
    assert.ok((await pixels('between', 'face-0004.png')).equals(await pixels('seeds', 'face-0000.png')));
    await call('generate', 'run', '--between', '5', '9', '--frames', '4', '--out', 'moving.gif');
    const moving = await sharp(workplace.path('moving.gif'), { animated: true }).metadata();
    assert.deepEqual([moving.pages, moving.width, moving.pageHeight, moving.delay?.[0]], [5, 32, 32, 40]);
    await call('generate', 'run', '--arithmetic', '1,2,3 - 4 + 5', '--out', 'sum.png');
    const sum = await sharp(workplace.path('sum.png')).metadata();
    // Three faces and their mean in the widest row; three terms and a result of three rows.
    assert.deepEqual([sum.width, sum.height], [4 * 34 + 2, 6 * 34 + 2]);
  });
});

describe('a smoothed curve', () => {
  it("is TensorBoard's: by hand, and the values themselves for weight 0", () => {
    assert.deepEqual(smooth([1, 2, 4], 0), [1, 2, 4]);
    // 0.5 / 0.5; (0.25 + 1) / 0.75; (0.625 + 2) / 0.875
    assert.deepEqual(smooth([1, 2, 4], 0.5), [1, 1.25 / 0.75, 2.625 / 0.875]);
    const [, missing, last] = smooth([1, NaN, 1], 0.5);
    assert.ok(Number.isNaN(missing));
    assert.equal(last, 1);
  });
});

describe('frames of an animation', () => {
  it('are all of them, or evenly chosen with the first and the last', () => {
    const items = Array.from({ length: 250 }, (_, i) => i);
    assert.deepEqual(evenly(items.slice(0, 100), 100), items.slice(0, 100));
    const chosen = evenly(items, 100);
    assert.deepEqual([chosen.length, chosen[0], chosen[99]], [100, 0, 249]);
    for (let i = 1; i < 100; i++) assert.ok([2, 3].includes(chosen[i] - chosen[i - 1]));
  });
});
