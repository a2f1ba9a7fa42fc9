import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { decodeFile } from '../src/data/decode-file.js';
import { roundHalfToEven } from '../src/data/face-crop.js';
import { normalise } from '../src/data/normalise.js';

/** Made by fixtures/images/make.py: what torchvision makes of each file. */
const fixtures = join(import.meta.dirname, '../../test/fixtures/images');
const SIZE = 16;

/** Files that torchvision and this program take differently, on purpose. */
const OTHERWISE = {
  // Pillow clips 16 bits of grey to 8, so that nearly all of it is white. The upper 8 bits are what is meant; here
  // they are those of png-grey.png.
  'png-grey-16.png': { as: 'png-grey.png' },
} as Readonly<Record<string, { as: string }>>;

const torchvision = JSON.parse(await readFile(join(fixtures, 'images.json'), 'utf8')) as Record<
  string,
  string | null
>;

describe('decoding', () => {
  for (const [name, expected] of Object.entries(torchvision)) {
    if (expected === null) {
      it(`finds ${name} broken, as torchvision does`, async () => {
        const file = await decodeFile(join(fixtures, 'faces', name), SIZE);
        assert.ok(file.kind === 'broken' && !file.reason.includes('\n'), JSON.stringify(file));
      });
      continue;
    }
    const { as } = OTHERWISE[name] ?? { as: name };
    it(`gives torchvision's pixels of ${as} for ${name}`, async () => {
      const file = await decodeFile(join(fixtures, 'faces', name), SIZE);
      assert.ok(file.kind === 'face');
      assert.equal(Buffer.from(file.pixels).toString('base64'), torchvision[as]);
    });
  }

  it('goes on after a broken jpeg on the same thread', async () => {
    await decodeFile(join(fixtures, 'faces/truncated.jpg'), SIZE);
    const file = await decodeFile(join(fixtures, 'faces/jpeg.jpg'), SIZE);
    assert.ok(file.kind === 'face');
    assert.equal(Buffer.from(file.pixels).toString('base64'), torchvision['jpeg.jpg']);
  });

  it('rounds halves to even, as Python does', () => {
    assert.deepEqual([0.5, 1.5, 2.5, 3.5, 2.4, 2.6, 7].map(roundHalfToEven), [0, 2, 2, 4, 2, 3, 7]);
  });
});

describe('a file without an image in it', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'data-images-'));
  });
  after(() => rm(folder, { recursive: true }));

  it('is broken if it calls itself an image, and no concern of ours otherwise', async () => {
    await writeFile(join(folder, 'a.jpg'), 'text');
    await writeFile(join(folder, 'b.txt'), 'BM, a text');
    await writeFile(join(folder, 'empty.png'), '');
    assert.equal((await decodeFile(join(folder, 'a.jpg'), SIZE)).kind, 'broken');
    assert.equal((await decodeFile(join(folder, 'b.txt'), SIZE)).kind, 'other');
    assert.equal((await decodeFile(join(folder, 'empty.png'), SIZE)).kind, 'broken');
    assert.equal((await decodeFile(join(folder, 'gone.png'), SIZE)).kind, 'broken');
  });

  it('is broken wherever a jpeg, png or bitmap is damaged, and never an exception', async () => {
    for (const name of [
      'jpeg.jpg',
      'jpeg-444-progressive.jpg',
      'png.png',
      'bmp-palette.bmp',
      'gif-animated.gif',
    ]) {
      const whole = await readFile(join(fixtures, 'faces', name));
      for (let at = 2; at < whole.length; at += Math.ceil(whole.length / 40)) {
        const damaged = Buffer.from(whole);
        damaged.fill(0xff, at, at + 8);
        await writeFile(join(folder, name), damaged);
        const file = await decodeFile(join(folder, name), SIZE);
        assert.ok(file.kind !== 'other' || at < 16, `${name}, damaged at ${at}: ${file.kind}`);
      }
    }
  });
});

it("normalises all 256 values to torch's float32, bit by bit", async () => {
  const { float32Bits } = JSON.parse(await readFile(join(fixtures, 'normalised.json'), 'utf8')) as {
    float32Bits: number[];
  };
  const into = new Float32Array(256);
  normalise(
    Uint8Array.from({ length: 256 }, (_, byte) => byte),
    into,
  );
  assert.deepEqual(Array.from(new Uint32Array(into.buffer)), float32Bits);
});
