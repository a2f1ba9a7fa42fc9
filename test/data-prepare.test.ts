import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statfsSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { UserError } from '../src/common/errors.js';
import { listImageFolder } from '../src/data/folder/image-folder.js';
import { recall } from '../src/data/pack/pack-cache.js';
import { packImages } from '../src/data/pack/pack-images.js';
import { quickKey } from '../src/data/pack/quick-key.js';
import {
  Faces,
  packPath,
  prepareFaces,
  temporaryPackPath,
  type PreparedFaces,
  type PrepareOptions,
} from '../src/data/index.js';

const images = join(import.meta.dirname, '../../test/fixtures/images/faces');

let folder: string;
let cache: string;
let root: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'data-prepare-'));
  cache = join(folder, 'cache');
  root = join(folder, 'images');
  await mkdir(join(root, 'faces'), { recursive: true });
});
afterEach(() => rm(folder, { recursive: true }));

async function fill(...names: string[]): Promise<void> {
  for (const name of names) await copyFile(join(images, name), join(root, 'faces', name));
}

/** Enough files that a packer can be caught at work. */
async function fillWithMany(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await copyFile(join(images, 'jpeg.jpg'), join(root, 'faces', `${i}.jpg`));
}

/** An uncompressed 24-bit bitmap of one colour. */
function bitmap(width: number, height: number, [red, green, blue]: readonly number[]): Buffer {
  const row = Math.ceil((3 * width) / 4) * 4;
  const bytes = Buffer.alloc(54 + row * height);
  bytes.write('BM');
  bytes.writeUInt32LE(bytes.length, 2);
  for (const [at, value] of [
    [10, 54],
    [14, 40],
    [18, width],
    [22, height],
  ])
    bytes.writeUInt32LE(value, at);
  bytes.writeUInt16LE(1, 26);
  bytes.writeUInt16LE(24, 28);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) bytes.set([blue, green, red], 54 + y * row + 3 * x);
  return bytes;
}

function prepare(options: Partial<PrepareOptions> = {}): Promise<PreparedFaces> {
  return prepareFaces({ root, size: 16, cache, maxBrokenShare: 0.5, decoders: 2, ...options });
}

const cached = (ending: string): string[] =>
  existsSync(join(cache, 'faces'))
    ? readdirSync(join(cache, 'faces')).filter((name) => name.endsWith(ending))
    : [];

/** The children of this process that have this entry file. Linux. */
function packers(of = process.pid): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        const parent = / \(.*\) \S (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1];
        return parent === `${of}` && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('pack-process.js');
      } catch {
        return false;
      }
    })
    .map(Number);
}

describe('preparing faces', () => {
  it('packs the images in their order, names the broken ones once and ignores the rest', async () => {
    await fill('jpeg.jpg', 'png-palette.png', 'truncated.jpg', 'named-text.txt', 'webp.webp');
    writeFileSync(join(root, 'faces/notes.txt'), 'no image');
    const lines: string[] = [];
    let last: unknown;
    const prepared = await prepare({
      onWarning: (line) => lines.push(line),
      onProgress: (done, total) => (last = [done, total]),
    });
    assert.deepEqual([prepared.count, prepared.broken, prepared.decoded, prepared.size], [4, 1, 4, 16]);
    assert.deepEqual(lines, [
      `left out 1 file of ${root}: 1 without an image (faces/notes.txt)`,
      'skipped faces/truncated.jpg: cut off',
    ]);
    assert.deepEqual(last, [6, 6]);

    const torchvision = JSON.parse(readFileSync(join(images, '../images.json'), 'utf8')) as Record<
      string,
      string
    >;
    const faces = Faces.open(prepared.path);
    const face = new Uint8Array(16 * 16 * 3);
    for (const [index, name] of ['jpeg.jpg', 'named-text.txt', 'png-palette.png', 'webp.webp'].entries()) {
      faces.read([index], face);
      assert.equal(Buffer.from(face).toString('base64'), torchvision[name], name);
    }
    faces.close();
    assert.equal(prepared.path, packPath(cache, prepared.fingerprint));
  });

  it('decodes once, also when the folder has moved or was copied, and tells of the broken ones again', async () => {
    await fill('jpeg.jpg', 'png.png', 'truncated.jpg');
    const first = await prepare();
    assert.equal(first.decoded, 2);
    const moved = join(folder, 'moved');
    renameSync(root, moved);
    const second = await prepare({ root: moved });
    const copied = join(folder, 'copied'); // With other times.
    cpSync(moved, copied, { recursive: true });
    const lines: string[] = [];
    const third = await prepare({ root: copied, onWarning: (line) => lines.push(line) });
    assert.deepEqual([second, third], Array(2).fill({ ...first, decoded: 0 }));
    assert.deepEqual(lines, ['skipped faces/truncated.jpg: cut off']);
    assert.equal(cached('.pack').length, 1);
  });

  it('never takes a folder for another with the same names, lengths and times', async () => {
    const time = new Date('1980-01-01T00:00:00Z'); // What archives without times leave.
    const paint = async (name: string, ...colour: [number, number, number]): Promise<PreparedFaces> => {
      const other = join(folder, name);
      mkdirSync(join(other, 'faces'), { recursive: true });
      for (let image = 0; image < 3; image++) {
        const path = join(other, 'faces', `${image}.bmp`);
        writeFileSync(path, bitmap(20, 20, colour));
        utimesSync(path, time, time);
      }
      return prepare({ root: other });
    };
    const pixels = ({ path }: PreparedFaces): number[] => {
      const faces = Faces.open(path);
      const face = new Uint8Array(16 * 16 * 3);
      faces.read([2], face);
      faces.close();
      return [...face.subarray(0, 3)];
    };
    const [red, blue] = [await paint('red', 220, 30, 30), await paint('blue', 30, 30, 220)];
    assert.deepEqual(
      [pixels(red), pixels(blue)],
      [
        [220, 30, 30],
        [30, 30, 220],
      ],
    );
    // The same folder with other files in it, also for a cache that knows the earlier ones by their change times.
    rmSync(join(folder, 'red'), { recursive: true });
    renameSync(join(folder, 'blue'), join(folder, 'red'));
    assert.equal((await prepare({ root: join(folder, 'red') })).fingerprint, blue.fingerprint);
    assert.deepEqual(pixels(await paint('red', 30, 220, 30)), [30, 220, 30]);
  });

  it('reads no image again that the file system vouches for', async () => {
    await fill('jpeg.jpg', 'png.png');
    const first = await prepare();
    const { files } = listImageFolder(root, false);
    const later = Date.now() + 60_000;
    const key = quickKey(root, files, 16, later);
    const isVouchedFor = [0xef53, 0x58465342, 0x9123683e, 0x01021994].includes(statfsSync(root).type);
    assert.equal(key !== undefined, process.platform === 'linux' && isVouchedFor);
    const changed = Math.max(...files.map((file) => file.changed));
    assert.equal(quickKey(root, files, 16, changed + 1), undefined, 'files that have changed just now');
    if (key === undefined) return;
    // A program can set back the time of modification, and the change time shows it.
    const { atime, mtime } = statSync(join(root, 'faces/png.png'));
    await copyFile(join(images, 'jpeg-grey.jpg'), join(root, 'faces/png.png'));
    utimesSync(join(root, 'faces/png.png'), atime, mtime);
    const after = quickKey(root, listImageFolder(root, false).files, 16, later);
    assert.notEqual(after, key);
    assert.notEqual((await prepare()).fingerprint, first.fingerprint);
  });

  it('says which files it leaves out, of which kinds, on later runs too', async () => {
    await fill('jpeg.jpg', 'png.png');
    const heic = Buffer.from('00000024667479706865696300000000', 'hex'); // "ftypheic", as telephones write it
    for (let i = 0; i < 20; i++) writeFileSync(join(root, `faces/IMG_${i}.HEIC`), heic);
    writeFileSync(join(root, 'faces/avif.jpg'), Buffer.from('0000001c6674797061766966', 'hex'));
    writeFileSync(join(root, 'faces/._jpeg.jpg'), Buffer.from('00051607', 'hex'));
    writeFileSync(join(root, 'outside.jpg'), '');
    const line =
      `left out 22 images and 1 file of ${root}: 1 macOS metadata (faces/._jpeg.jpg), ` +
      '1 outside the sub-folders (outside.jpg), 20 HEIC (faces/IMG_0.HEIC), 1 AVIF (faces/avif.jpg); ' +
      'only jpeg, png, webp, bmp and gif images in sub-folders are used';
    for (const decoded of [2, 0]) {
      const lines: string[] = [];
      const prepared = await prepare({ maxBrokenShare: 0, onWarning: (each) => lines.push(each) });
      assert.deepEqual([prepared.count, prepared.broken, prepared.decoded], [2, 0, decoded]);
      assert.deepEqual(lines, [line]);
    }
  });

  it('reads files and folders whose names are not UTF-8, in their order', async () => {
    const place = (path: string, image: string): void => {
      const bytes = Buffer.concat([Buffer.from(`${root}/`), Buffer.from(path, 'latin1')]);
      mkdirSync(bytes.subarray(0, bytes.lastIndexOf('/')), { recursive: true });
      copyFileSync(join(images, image), bytes);
    };
    place('caf\xe9/\xe9.jpg', 'jpeg.jpg');
    place('caf\xe9/z.jpg', 'png.png');
    place('caf\xe9/\xfc.jpg', 'truncated.jpg');
    const lines: string[] = [];
    const prepared = await prepare({ onWarning: (line) => lines.push(line) });
    assert.deepEqual(lines, ['skipped caf\\xE9/\\xFC.jpg: cut off']);
    await rm(join(root, 'faces'), { recursive: true });
    const plain = join(folder, 'plain');
    await mkdir(join(plain, 'a'), { recursive: true });
    await copyFile(join(images, 'png.png'), join(plain, 'a/1.png'));
    await copyFile(join(images, 'jpeg.jpg'), join(plain, 'a/2.jpg'));
    assert.equal(prepared.fingerprint, (await prepare({ root: plain })).fingerprint);
    assert.equal((await prepare()).decoded, 0);
  });

  it('names ten broken images, and lists all in a file', async () => {
    await fill('jpeg.jpg');
    for (let i = 0; i < 23; i++) writeFileSync(join(root, `faces/broken-${i + 10}.png`), i % 2 ? '' : 'text');
    const paths = Array.from({ length: 23 }, (_, i) => `faces/broken-${i + 10}.png`);
    const all = paths.map((path, i) => `${path}: ${i % 2 ? 'empty' : 'not an image (text)'}`);
    const listIn = (line: string): string =>
      readFileSync(/all listed in (.*?\.txt)/.exec(line)?.[1] ?? '', 'utf8');

    const lines: string[] = [];
    await prepare({ maxBrokenShare: 1, onWarning: (line) => lines.push(line) });
    assert.deepEqual(
      lines.slice(0, 10),
      all.slice(0, 10).map((each) => `skipped ${each}`),
    );
    assert.equal(lines.length, 11);
    assert.match(lines[10], /^skipped 13 more broken images, all listed in /);
    assert.equal(listIn(lines[10]), `${all.join('\n')}\n`);

    const refusal = await prepare({ maxBrokenShare: 0.25, offered: ['--max-broken'] }).catch(String);
    assert.ok(typeof refusal === 'string');
    assert.ok(
      refusal.includes(
        `: 23 of 24, --max-broken 0.25 allows 6 (${all.slice(0, 10).join('; ')}; 13 more broken images, all`,
      ),
      refusal,
    );
    assert.equal(listIn(refusal), `${all.join('\n')}\n`);
    for (const path of paths) assert.ok(refusal.split(`${path}:`).length <= 2, path);
  });

  it('takes no image from outside the folder unless told to, and never mistakes one pack for the other', async () => {
    await fill('jpeg.jpg');
    symlinkSync(join(images, 'png.png'), join(root, 'faces/linked.png'));
    const lines: string[] = [];
    const offered = ['--follow-links'] as const;
    const told = { offered, onWarning: (line: string) => lines.push(line) };
    const within = await prepare(told);
    assert.deepEqual([within.count, within.broken], [1, 0]);
    const line = `left out 1 link of ${root}: 1 out of the folder (faces/linked.png)`;
    assert.deepEqual(lines, [`${line}; --follow-links follows links out`]);
    const all = await prepare({ ...told, followLinks: true });
    assert.deepEqual([all.count, all.decoded], [2, 2]);
    assert.equal(lines.length, 1);
    assert.notEqual(all.fingerprint, within.fingerprint);
    const again = await prepare({ ...told, offered: [] });
    assert.deepEqual([again.count, again.decoded, again.fingerprint], [1, 0, within.fingerprint]);
    assert.equal(lines[1], line);
  });

  it('decodes again when a file or the size has changed, or the pack is damaged', async () => {
    await fill('jpeg.jpg', 'png.png');
    const first = await prepare();
    assert.equal((await prepare()).decoded, 0);
    await copyFile(join(images, 'jpeg-grey.jpg'), join(root, 'faces/jpeg.jpg'));
    const changed = await prepare();
    assert.equal(changed.decoded, 2);
    assert.notEqual(changed.fingerprint, first.fingerprint);
    assert.equal((await prepare({ size: 8 })).decoded, 2);
    rmSync(changed.path);
    assert.equal((await prepare()).decoded, 2);
    assert.equal((await prepare()).decoded, 0);
  });

  it('decodes again in one line when the pack is damaged, be it by a single bit', async () => {
    await fill('jpeg.jpg', 'png.png');
    const whole = await prepare();
    const bytes = readFileSync(whole.path);
    const damages: Record<string, () => Buffer> = {
      'cut off': () => bytes.subarray(0, 100),
      'every seventh byte': () =>
        bytes.map((byte, index) => (index >= 64 && index % 7 === 0 ? byte ^ 0xff : byte)) as Buffer,
      'one bit': () =>
        Buffer.from(bytes.map((byte, index) => (index === bytes.length - 1 ? byte ^ 1 : byte))),
      'another count': () => Buffer.from(bytes.map((byte, index) => (index === 12 ? 1 : byte))),
      'another name': () => Buffer.from(bytes.map((byte, index) => (index === 20 ? byte ^ 1 : byte))),
    };
    for (const [name, damage] of Object.entries(damages)) {
      writeFileSync(whole.path, damage());
      const lines: string[] = [];
      const again = await prepare({ onWarning: (line) => lines.push(line) });
      assert.deepEqual(again, whole, name);
      assert.deepEqual(lines, [`the decoded faces in ${whole.path} are damaged: decoding the images again`]);
      assert.deepEqual(readFileSync(whole.path), bytes, name);
    }
  });

  it('takes a note that it did not write for none', async () => {
    await fill('jpeg.jpg', 'truncated.jpg');
    const first = await prepare();
    const [name] = cached('.json');
    const note = JSON.parse(readFileSync(join(cache, 'faces', name), 'utf8')) as Record<string, unknown>;
    const key = name.slice(0, -'.json'.length);
    assert.deepEqual(recall(cache, key), note);
    const withoutBroken = JSON.stringify({ ...note, broken: undefined });
    const texts = [
      ...[withoutBroken, '', '{', 'null', '[]', '"text"', '{}'],
      ...[null, 0, 'text', [null], [{ path: 1, reason: 'x' }]].map((broken) =>
        JSON.stringify({ ...note, broken }),
      ),
      ...[undefined, {}, [null], [{ unit: 'page' }]].map((leftOut) => JSON.stringify({ ...note, leftOut })),
      ...[undefined, -1, 1.5, '1'].map((count) => JSON.stringify({ ...note, count })),
      ...[undefined, '../x', 'ab', 7].map((fingerprint) => JSON.stringify({ ...note, fingerprint })),
    ];
    for (const text of texts) {
      writeFileSync(join(cache, 'faces', name), text);
      assert.equal(recall(cache, key), undefined, text);
    }
    for (const each of cached('.json')) writeFileSync(join(cache, 'faces', each), withoutBroken);
    assert.deepEqual(await prepare(), first);
    assert.equal((await prepare()).decoded, 0);
  });

  it('notes nothing when a file changes while it is decoded', async () => {
    await fill('jpeg.jpg', 'png.png');
    const request = { root, followLinks: false, size: 16, cache, maxBrokenShare: 0.5, decoders: 1 };
    const nothing = (): void => undefined;
    const options = { layout: 'classes', offered: [] } as const;
    await packImages(
      { ...request, ...options, temporary: temporaryPackPath(cache) },
      {
        decoding: () => {
          writeFileSync(join(root, 'faces/png.png'), 'changed');
        },
        ...{ listing: nothing, warning: nothing },
      },
    );
    assert.equal(cached('.pack').length, 1);
    assert.deepEqual(cached('.json'), []);
  });

  it('gives the same fingerprint from one decoder and from many', async () => {
    await fillWithMany(30);
    await fill('png.png', 'webp.webp', 'bmp.bmp', 'gif-animated.gif');
    const one = await prepare({ decoders: 1 });
    const many = await prepare({ decoders: 5, cache: join(folder, 'other') });
    assert.equal(many.fingerprint, one.fingerprint);
  });

  it('lets two packers work at once', async () => {
    await fillWithMany(50);
    const [one, two] = await Promise.all([prepare(), prepare()]);
    assert.equal(one.fingerprint, two.fingerprint);
    Faces.open(one.path).close();
    assert.deepEqual(cached('.tmp'), []);
  });

  it('removes packs that nobody used for 30 days when it writes another', async () => {
    await fill('jpeg.jpg');
    const old = await prepare();
    const longAgo = new Date(Date.now() - 31 * 24 * 60 * 60 * 1000);
    utimesSync(old.path, longAgo, longAgo);
    await fill('png.png');
    const young = await prepare();
    assert.deepEqual(cached('.pack'), [`${young.fingerprint}.pack`]);
    const packs = (): unknown[] =>
      cached('.json').map((name) => recall(cache, name.slice(0, -'.json'.length))?.fingerprint);
    assert.deepEqual([...new Set(packs())], [young.fingerprint]);
    // Notes of folders that are gone, too: their pack is used under another key.
    const notes = cached('.json');
    for (const name of notes) utimesSync(join(cache, 'faces', name), longAgo, longAgo);
    await fill('webp.webp');
    const youngest = await prepare();
    assert.equal(cached('.pack').length, 2);
    assert.deepEqual([...new Set(packs())], [youngest.fingerprint]);
    assert.deepEqual(
      cached('.json').filter((name) => notes.includes(name)),
      [],
    );
  });
});

describe('preparing faces ends in one clear line', () => {
  const refused = (options: Partial<PrepareOptions>, message: RegExp): Promise<void> =>
    assert.rejects(
      prepare(options),
      (error) => error instanceof UserError && message.test(error.message) && !error.message.includes('\n'),
    );

  afterEach(() => {
    assert.deepEqual(cached('.tmp'), []);
    assert.deepEqual(cached('.pack'), []);
  });

  it('without a folder', () => refused({ root: join(folder, 'gone') }, /there is no folder/));

  it('with too many broken images, on later runs too', async () => {
    await fill('jpeg.jpg', 'png.png', 'truncated.jpg');
    const line =
      /^too many broken images in \S+: 1 of 3, at most 0 \(faces\/truncated.jpg: cut off\): repair or remove them$/;
    await refused({ maxBrokenShare: 0.3 }, line);
    const accepted = await prepare({ maxBrokenShare: 0.4 });
    assert.equal(accepted.decoded, 0, 'the first call has decoded all');
    await refused({ maxBrokenShare: 0.3 }, line);
    await refused(
      { maxBrokenShare: 0.3, offered: ['--max-broken'] },
      /1 of 3, --max-broken 0.3 allows 0 \(\S+ cut off\): repair or remove them, or raise --max-broken$/,
    );
    await rm(cache, { recursive: true });
  });

  it('with no image at all', async () => {
    writeFileSync(join(root, 'faces/notes.txt'), 'text');
    await refused(
      {},
      /none of the 1 files in .* is a readable jpeg, png, webp, bmp or gif image: .*1 without an image \(faces\/notes.txt\)/,
    );
  });

  it('with broken images only', async () => {
    await fill('truncated.jpg');
    await refused({ maxBrokenShare: 1 }, /none of the 1 files .* \(faces\/truncated.jpg: cut off\)$/);
  });

  it('with a cache that is a file', async () => {
    await fill('jpeg.jpg');
    writeFileSync(cache, '');
    await assert.rejects(prepare(), /cannot create the cache folder/);
    await rm(cache);
  });

  it('when it is aborted', async () => {
    await fillWithMany(400);
    const abort = new AbortController();
    const preparing = prepare({
      signal: abort.signal,
      onProgress: () => {
        abort.abort(new Error('stopped'));
      },
    });
    await assert.rejects(preparing, /^Error: stopped$/);
    assert.deepEqual(packers(), []);
    await assert.rejects(prepare({ signal: AbortSignal.abort(new Error('before')) }), /before/);
  });

  it('when its process is killed', { skip: process.platform !== 'linux' }, async () => {
    await fillWithMany(400);
    const preparing = prepare({
      onProgress: (done) => {
        if (done < 400) for (const pid of packers()) process.kill(pid, 'SIGKILL');
      },
    });
    await assert.rejects(preparing, /^Error: the process that decodes images was killed by SIGKILL$/);
  });

  it('when its parent is killed', { skip: process.platform !== 'linux' }, async () => {
    await fillWithMany(400);
    const parent = join(folder, 'parent.mjs');
    writeFileSync(
      parent,
      `import { prepareFaces } from '${new URL('../src/data/index.js', import.meta.url).href}';
       const options = ${JSON.stringify({ root, size: 16, cache, maxBrokenShare: 0.5, decoders: 1 })};
       await prepareFaces({ ...options, onProgress: () => process.send('packing') });`,
    );
    const child = fork(parent);
    await once(child, 'message');
    const [packer] = packers(child.pid);
    assert.ok(packer);
    child.kill('SIGKILL');
    await once(child, 'exit');
    while (existsSync(`/proc/${packer}`)) await sleep(10);
  });
});
