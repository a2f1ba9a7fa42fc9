import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import sharp from 'sharp';
import { makeGrid } from '../src/sampling/image-grid.js';
import { writePicture } from '../src/sampling/picture.js';

const SIZE = 6;
const VALUES_AN_IMAGE = SIZE * SIZE * 3;

async function fixture(name: string): Promise<Buffer> {
  return readFile(new URL(`../../test/fixtures/grid/${name}`, import.meta.url));
}

async function images(count: number): Promise<Float32Array> {
  const bytes = await fixture('images.bin');
  return Float32Array.from({ length: count * VALUES_AN_IMAGE }, (_, i) => bytes.readFloatLE(4 * i));
}

describe('a sample grid', () => {
  for (const { count, width, height } of [
    { count: 11, width: 66, height: 18 },
    { count: 3, width: 26, height: 10 },
    { count: 1, width: 6, height: 6 },
  ]) {
    it(`of ${count} has the bytes of torchvision's`, async () => {
      const grid = makeGrid(await images(count), { count, size: SIZE });
      assert.deepEqual({ width: grid.width, height: grid.height }, { width, height });
      assert.deepEqual(Buffer.from(grid.pixels), await fixture(`grid-${count}.bin`));
    });
  }

  it('of one colour is black, as the range 0 is taken for 1e-5', () => {
    const { pixels } = makeGrid(new Float32Array(2 * VALUES_AN_IMAGE).fill(0.5), { count: 2, size: SIZE });
    assert.ok(pixels.every((value) => value === 0));
  });

  it('is refused for images of another size or without numbers', () => {
    assert.throws(
      () => makeGrid(new Float32Array(10), { count: 1, size: SIZE }),
      /10 values are not 1 images of 6 x 6/,
    );
    assert.throws(() => makeGrid(new Float32Array(0), { count: 0, size: SIZE }), RangeError);
    assert.throws(
      () => makeGrid(new Float32Array(VALUES_AN_IMAGE).fill(NaN), { count: 1, size: SIZE }),
      /value NaN/,
    );
  });

  it('is the same in a PNG', async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'dcgan-test-'));
    t.after(() => rm(folder, { recursive: true }));
    const grid = makeGrid(await images(11), { count: 11, size: SIZE });
    await writePicture(join(folder, 'grid.png'), grid);
    assert.deepEqual(await readdir(folder), ['grid.png']);
    const { data, info } = await sharp(join(folder, 'grid.png')).raw().toBuffer({ resolveWithObject: true });
    assert.deepEqual([info.width, info.height, info.channels], [66, 18, 3]);
    assert.deepEqual(data, Buffer.from(grid.pixels));
  });
});
