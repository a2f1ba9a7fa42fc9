import assert from 'node:assert/strict';
import { chmod, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { decodeFile } from '../src/data/decode/decode-file.js';
import { roundHalfToEven } from '../src/data/pixels/face-crop.js';
import { faultOfFile } from '../src/data/decode/file-fault.js';
import { normalise } from '../src/data/pixels/normalise.js';
import { asAnotherUser } from './support/another-user.js';

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

  const write = async (name: string, content: string | Buffer): Promise<string> => {
    await writeFile(join(folder, name), content);
    return join(folder, name);
  };
  const isOther = async (path: string, format: string | undefined): Promise<void> => {
    assert.deepEqual(await decodeFile(path, SIZE), { kind: 'other', format });
  };
  const isBroken = async (path: string, reason: string): Promise<void> => {
    assert.deepEqual(await decodeFile(path, SIZE), { kind: 'broken', reason });
  };

  it('is broken with the reason if it has the name of an image', async () => {
    await isBroken(await write('a.jpg', 'a text,\nin UTF-8: é'), 'not an image (text)');
    await isBroken(await write('page.png', '<!DOCTYPE html><title>404</title>'), 'not an image (HTML)');
    await isBroken(await write('document.jpg', '%PDF-1.7\n\0'), 'not an image (PDF)');
    await isBroken(await write('lost.jpg', Buffer.alloc(5000)), 'not an image (only zeros)');
    await isBroken(await write('noise.gif', Buffer.from('0001fe80cafe', 'hex')), 'not an image');
    await isBroken(await write('empty.png', ''), 'empty');
    await isBroken(join(folder, 'gone.png'), 'no such file or directory');
    await symlink('loop.webp', join(folder, 'loop.webp'));
    await isBroken(join(folder, 'loop.webp'), 'too many symbolic links encountered');
    const closed = await write('closed.jpg', 'x');
    await chmod(folder, 0o755);
    await chmod(closed, 0);
    const decoding = asAnotherUser(() => decodeFile(closed, SIZE)); // The file is opened before it returns.
    assert.deepEqual(await decoding, { kind: 'broken', reason: 'permission denied' });
  });

  it('is no broken image if the process has too many files open', () => {
    const fault = (code: 'EMFILE' | 'ENOMEM' | 'EIO' | 'EACCES'): string | undefined =>
      faultOfFile(Object.assign(new Error(code), { code, errno: -constants.errno[code] }));
    assert.deepEqual((['EMFILE', 'ENOMEM', 'EIO', 'EACCES'] as const).map(fault), [
      ...[undefined, undefined, 'i/o error', 'permission denied'],
    ]);
    const missing = Object.assign(new Error('no sharp'), { code: 'ERR_MODULE_NOT_FOUND' });
    assert.equal(faultOfFile(missing), undefined);
  });

  it('is left out if it has another name', async () => {
    await isOther(await write('b.txt', 'BM, a text'), undefined);
    await isOther(await write('empty', ''), undefined);
    await isOther(join(folder, 'gone'), undefined);
  });

  it('is left out by its format if that is not read, told by content or else by name', async () => {
    const cases: readonly (readonly [name: string, head: string, format: string])[] = [
      ['a.heic', '\0\0\0\x24ftypheic', 'HEIC'],
      ['b.jpg', '\0\0\0\x24ftypheix', 'HEIC'],
      ['c.jpg', '\0\0\0\x1cftypavif', 'AVIF'],
      ['d.heif', '\0\0\0\x1cftypmif1', 'HEIF'],
      ['e.tif', 'II*\0', 'TIFF'],
      ['f.jpg', 'MM\0*', 'TIFF'],
      ['g.nef', 'MM\0*', 'NEF'],
      ['1.pgm', 'P5\n92 112\n255\n', 'PGM'],
      ['h.ppm', 'P6 1 1 255\n', 'PPM'],
      ['i.jp2', '\0\0\0\x0cjP  \r\n\x87\n', 'JPEG 2000'],
      ['j.jxl', '\xff\x0a', 'JPEG XL'],
      ['k.psd', '8BPS', 'PSD'],
      ['l.svg', '<svg/>', 'SVG'],
      ['m.TIFF', '?', 'TIFF'],
    ];
    for (const [name, head, format] of cases)
      await isOther(await write(name, Buffer.from(head, 'latin1')), format);
  });

  it('is cut off, not damaged, if it ends too early', async () => {
    for (const name of ['jpeg.jpg', 'jpeg-444-progressive.jpg', 'png.png', 'gif-animated.gif', 'webp.webp']) {
      const whole = await readFile(join(fixtures, 'faces', name));
      for (const share of [0.3, 0.6, 0.9]) {
        const path = await write(`cut-${name}`, whole.subarray(0, whole.length * share));
        const decoded = await decodeFile(path, SIZE);
        // A GIF of several frames may have its first.
        if (decoded.kind !== 'face')
          assert.deepEqual(decoded, { kind: 'broken', reason: 'cut off' }, `${name} ${share}`);
        else assert.equal(name, 'gif-animated.gif');
      }
      const damaged = Buffer.from(whole);
      damaged.fill(0x55, Math.ceil(whole.length * 0.4), Math.ceil(whole.length * 0.6));
      const decoded = await decodeFile(await write(`damaged-${name}`, damaged), SIZE);
      assert.ok(decoded.kind !== 'broken' || decoded.reason !== 'cut off', name);
    }
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
