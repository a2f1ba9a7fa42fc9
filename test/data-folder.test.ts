import assert from 'node:assert/strict';
import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { UserError } from '../src/common/errors.js';
import { nameOf, readablePath, systemPath } from '../src/data/folder/byte-names.js';
import { byCodePoint } from '../src/data/folder/code-point-order.js';
import { listImageFolder, type ListingOptions } from '../src/data/folder/image-folder.js';
import { asAnotherUser } from './support/another-user.js';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'data-folder-'));
});
afterEach(() => rm(root, { recursive: true }));

async function write(...paths: string[]): Promise<void> {
  for (const path of paths) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), 'x');
  }
}

const listed = (followLinks = false): string[] =>
  listImageFolder(root, followLinks).files.map((file) => file.path);

/** What is left out, as "2 hidden files (a/.x)". */
const leftOut = (options: ListingOptions & { followLinks?: boolean } = {}): string[] =>
  listImageFolder(root, options.followLinks ?? false, options).leftOut.map(
    ({ unit, what, count, example, fault }) =>
      `${count} ${unit} ${what} (${example}${fault === undefined ? '' : `: ${fault}`})`,
  );

describe('listing an image folder', () => {
  it('follows the order of sorted(os.walk()), which is not a file at a time', async () => {
    await write(
      'b/2.jpg',
      'b/10.jpg',
      'b/Z.jpg',
      'b/a/1.jpg',
      'b/a-c/1.jpg',
      'b/a/z/1.jpg',
      'A/é.jpg',
      'A/z.jpg',
      'loose.jpg',
    );
    // Python: sorted(os.walk('b')) has b, b/a, b/a-c, b/a/z, since '-' precedes '/'.
    assert.deepEqual(listed(), [
      ...['A/z.jpg', 'A/é.jpg'],
      ...['b/10.jpg', 'b/2.jpg', 'b/Z.jpg', 'b/a/1.jpg', 'b/a-c/1.jpg', 'b/a/z/1.jpg'],
    ]);
  });

  it('orders by code points', () => {
    // Python: sorted(['\U0001F600', '\uFFFD', 'z', 'é', 'zz']) == ['z', 'zz', 'é', '\uFFFD', '\U0001F600']
    assert.deepEqual(['\u{1F600}', '\uFFFD', 'z', 'é', 'zz'].sort(byCodePoint), [
      'z',
      'zz',
      'é',
      '\uFFFD',
      '\u{1F600}',
    ]);
  });

  it('orders names that are not UTF-8 as Python does, and can open them again', () => {
    // Python: sorted(map(os.fsdecode, names)) in this order.
    const names = [
      ...['61', '636166 7a 2e6a7067', '636166 c3a9 2e6a7067', '636166 e9 2e6a7067', '636166 e9a9 2e6a7067'],
      ...['636166 efbfbf 2e6a7067', '636166 f09f9880 2e6a7067'],
      ...['78 ed9fbf', '78 eda080', '78 ee8080', 'ff'],
    ].map((hex) => Buffer.from(hex.replaceAll(' ', ''), 'hex'));
    const texts = names.map(nameOf);
    assert.deepEqual([...texts].reverse().sort(byCodePoint), texts);
    assert.deepEqual(
      texts.map((text) => Buffer.from(systemPath(text))),
      names,
    );
    // Python: ascii(os.fsdecode(name))
    assert.deepEqual([texts[3], texts[8]], ['caf\udce9.jpg', 'x\udced\udca0\udc80']);
    assert.deepEqual(['caf\udce9.jpg', 'é \u{1F600}'].map(readablePath), ['caf\\xE9.jpg', 'é \u{1F600}']);
  });

  it('lists files and folders whose names are not UTF-8', () => {
    const latin1 = (path: string): Buffer =>
      Buffer.concat([Buffer.from(`${root}/`), Buffer.from(path, 'latin1')]);
    mkdirSync(latin1('caf\xe9'));
    writeFileSync(latin1('caf\xe9/\xfcber.jpg'), 'xyz');
    mkdirSync(latin1('a'));
    writeFileSync(latin1('a/1.jpg'), 'x');
    const { files } = listImageFolder(root, false);
    assert.deepEqual(
      files.map(({ path, size }) => [path, size]),
      [
        ['a/1.jpg', 1],
        ['caf\udce9/\udcfcber.jpg', 3],
      ],
    );
    assert.equal(statSync(systemPath(join(root, files[1].path))).size, 3);
  });

  it('walks each folder once, at the place where it lies', async () => {
    await write('a/1.jpg', 'b/2.jpg', '.store/d/3.jpg', '.store/4.jpg');
    await symlink('../b', join(root, 'a/to-b'));
    await symlink('../a', join(root, 'b/to-a'));
    await symlink('..', join(root, 'a/up'));
    await symlink('self', join(root, 'a/self'));
    await symlink('.store/d', join(root, 'c'));
    await symlink('../.store/d', join(root, 'b/to-d'));
    await symlink('1.jpg', join(root, 'a/same.jpg'));
    assert.deepEqual(listed(), ['a/1.jpg', 'a/same.jpg', 'a/self', 'b/2.jpg', 'c/3.jpg'].sort());
    assert.deepEqual(leftOut(), [
      '4 folder reached again through links (a/to-b)',
      '1 file hidden (.store/4.jpg)', // The other is used as c/3.jpg.
    ]);
  });

  it('does not multiply images by links between folders', async () => {
    const folders = ['0', '1', '2', '3', '4', '5', '6', '7'];
    await write(...folders.map((folder) => `${folder}/image.jpg`));
    for (const from of folders)
      for (const to of folders) if (from !== to) await symlink(`../${to}`, join(root, from, `to-${to}`));
    assert.deepEqual(
      listed(),
      folders.map((folder) => `${folder}/image.jpg`),
    );
    assert.deepEqual(leftOut(), ['56 folder reached again through links (0/to-1)']);
  });

  describe('with links that lead out of it', () => {
    let outside: string;
    beforeEach(async () => {
      outside = await mkdtemp(join(tmpdir(), 'data-outside-'));
      await mkdir(join(outside, 'deep'));
      for (const name of ['secret.jpg', 'deep/secret.jpg']) await writeFile(join(outside, name), 'x');
    });
    afterEach(() => rm(outside, { recursive: true }));

    it('leaves them out at any depth, however they lead there, unless it is to follow them', async () => {
      await write('a/1.jpg', 'a/b/2.jpg');
      await symlink(join(outside, 'secret.jpg'), join(root, 'a/file.jpg'));
      await symlink(relative(join(root, 'a/b'), join(outside, 'deep')), join(root, 'a/b/folder'));
      await symlink(outside, join(root, 'class'));
      await symlink('..', join(root, 'a/parent')); // within, and below it the others once more
      await symlink('../b/folder/secret.jpg', join(root, 'a/chain.jpg')); // nowhere
      await symlink('b/folder/secret.jpg', join(root, 'a/through.jpg'));
      const { files, leftOut: others } = listImageFolder(root, false);
      const paths = files.map(({ path }) => path);
      assert.deepEqual(
        paths.filter((path) => !path.startsWith('a/parent/')),
        ['a/1.jpg', 'a/chain.jpg', 'a/b/2.jpg'],
      );
      assert.ok(!paths.some((path) => /secret|folder|class|through|file/.test(path)));
      assert.deepEqual(others, [
        { unit: 'link', what: 'out of the folder', count: 4, example: 'a/b/folder' },
        { unit: 'folder', what: 'reached again through links', count: 1, example: 'a/parent' },
      ]);
      assert.deepEqual(
        listed(true).filter((path) => !path.startsWith('a/parent/')),
        [
          ...['a/1.jpg', 'a/chain.jpg', 'a/file.jpg', 'a/through.jpg', 'a/b/2.jpg'],
          ...['class/secret.jpg', 'class/deep/secret.jpg'], // a/b/folder is class/deep.
        ],
      );
      assert.deepEqual(leftOut({ followLinks: true }), ['2 folder reached again through links (a/parent)']);
    });

    it('is not deceived by a name that begins alike, nor by a link to itself', async () => {
      const alike = `${root}-alike`;
      await mkdir(alike);
      await writeFile(join(alike, '1.jpg'), 'x');
      await write('a/1.jpg');
      await symlink(alike, join(root, 'b'));
      const linked = join(outside, 'linked');
      await symlink(root, linked);
      assert.deepEqual(
        listImageFolder(linked, false).files.map(({ path }) => path),
        ['a/1.jpg'],
      );
      await rm(alike, { recursive: true });
    });

    it('says what would take them, where nothing else is there', async () => {
      await symlink(outside, join(root, 'class'));
      const refusal = /^\S+ holds only a link that leads out of it: give --follow-links where you trust/;
      const isRefusal = (error: unknown): boolean =>
        error instanceof UserError && refusal.test(error.message) && !error.message.includes('\n');
      const list = (offersFollowLinks: boolean): unknown =>
        listImageFolder(root, false, { offersFollowLinks });
      assert.throws(() => list(true), isRefusal);
      await mkdir(join(root, 'empty'));
      assert.throws(() => list(true), isRefusal);
      assert.throws(() => list(false), /a link that leads out of it: copy the images into it$/);
      assert.equal(listed(true).length, 2);
    });
  });

  it('leaves out what systems keep beside images, and counts it', async () => {
    await write('people/0.jpg', 'people/1.jpg');
    await write(
      'people/._0.jpg',
      '__MACOSX/people/._0.jpg',
      '__MACOSX/._people',
      '.DS_Store',
      'people/.DS_Store',
    );
    await write('people/Thumbs.db', 'people/desktop.ini', 'System Volume Information/x');
    await write(
      '$RECYCLE.BIN/S-1-5/0.jpg',
      '.Trash-1000/files/0.jpg',
      '.Trashes/501/0.jpg',
      '#recycle/0.jpg',
    );
    await write('people/@eaDir/0.jpg/SYNOPHOTO_THUMB_M.jpg', '.thumbnails/0.jpg');
    await write(
      'people/0.png.0a1b2c3d-77-4711-0123456789ab.tmp',
      'people/1.png.4bd4ae30-6a2c-4c63-8a4c-7a1b1dbbd8d1.tmp',
    );
    await write('.ipynb_checkpoints/0-checkpoint.jpg', 'people/.hidden.jpg', '.git/HEAD', 'lost+found/#12');
    assert.deepEqual(listed(), ['people/0.jpg', 'people/1.jpg']);
    assert.deepEqual(leftOut(), [
      '5 file macOS metadata (.DS_Store)',
      '3 file hidden (people/.hidden.jpg)',
      '2 file unfinished (people/0.png.0a1b2c3d-77-4711-0123456789ab.tmp)',
      '3 file Windows metadata (people/Thumbs.db)',
      '4 file in the trash (#recycle/0.jpg)',
      '2 file thumbnails (.thumbnails/0.jpg)',
      '1 file of the file system (lost+found/#12)',
    ]);
  });

  it('counts images beside the sub-folders, in formats that are not read too, and other files', async () => {
    await write('a/1.jpg', '1.jpg', '2.HEIC', 'drawn-faces.json', 'labels.csv');
    await writeFile(join(root, 'face'), Buffer.from('ffd8ffe000104a46', 'hex'));
    assert.deepEqual(listed(), ['a/1.jpg']);
    assert.deepEqual(leftOut(), [
      '3 image outside the sub-folders (1.jpg)',
      '1 file without an image (labels.csv)',
    ]);
  });

  it('takes images directly in the folder if sub-folders are not required and hold none', async () => {
    await write('2.jpg', '1.jpg', '.ipynb_checkpoints/1-checkpoint.jpg');
    await mkdir(join(root, 'empty'));
    const paths = (): string[] =>
      listImageFolder(root, false, { layout: 'any' }).files.map(({ path }) => path);
    assert.deepEqual(paths(), ['1.jpg', '2.jpg']);
    await write('a/3.jpg');
    assert.deepEqual(paths(), ['a/3.jpg']);
  });

  it('leaves out folders that it may not read or enter, at any depth', async () => {
    await write('a/1.jpg', 'a/deep/2.jpg', 'b/listable/3.jpg', 'lost+found/4.jpg', 'closed/5.jpg');
    await chmod(root, 0o755);
    for (const path of ['a/deep', 'lost+found', 'closed']) await chmod(join(root, path), 0);
    await chmod(join(root, 'b/listable'), 0o744);
    try {
      asAnotherUser(() => {
        assert.deepEqual(listed(), ['a/1.jpg']);
        assert.deepEqual(leftOut(), ['4 folder unreadable (a/deep: permission denied)']);
      });
    } finally {
      for (const path of ['a/deep', 'b/listable', 'lost+found', 'closed'])
        await chmod(join(root, path), 0o755);
    }
  });

  it('tells of every file that it finds', async () => {
    await write('a/1.jpg', 'a/2.jpg', 'b/3.jpg');
    const found: number[] = [];
    listImageFolder(root, false, { onFound: (files) => found.push(files) });
    assert.deepEqual(found, [1, 2, 3]);
  });

  it('notes size and time of each file', async () => {
    await write('a/1.jpg');
    const [file] = listImageFolder(root, false).files;
    assert.equal(file.size, 1);
    assert.ok(Math.abs(file.modified - Date.now()) < 60_000);
  });
});

describe('a folder that cannot be used', () => {
  const refused = (path: string, message: RegExp): void => {
    assert.throws(
      () => listImageFolder(path, false),
      (error) => error instanceof UserError && message.test(error.message) && !error.message.includes('\n'),
    );
  };

  it('is missing', () => {
    refused(join(root, 'gone'), /there is no folder .*gone: give a folder/);
  });
  it('is a file', async () => {
    await write('file.jpg');
    refused(join(root, 'file.jpg'), /is a file: give a folder/);
  });
  it('is empty', () => {
    refused(root, /is empty: put a folder of images into it/);
  });
  it('holds images but no sub-directory', async () => {
    await write('1.jpg', 'readme.txt');
    refused(root, /put this folder into a new folder and give that one/);
  });
  it('holds images under names of others', async () => {
    await writeFile(join(root, 'face'), Buffer.from('ffd8ffe000104a46', 'hex'));
    refused(root, /put this folder into a new folder and give that one/);
  });
  it('holds only text', async () => {
    await write('readme.txt');
    refused(root, /holds neither images nor sub-directories/);
  });
  it('holds only empty sub-directories', async () => {
    await mkdir(join(root, 'a/b'), { recursive: true });
    refused(root, /no file in the sub-directories/);
  });
  it('holds images beside a folder of hidden copies', async () => {
    await write('1.jpg', '2.jpg', '.ipynb_checkpoints/1-checkpoint.jpg');
    refused(root, /holds images but no sub-directory: put this folder into a new folder and give that one$/);
  });
  it('holds images beside empty folders', async () => {
    await write('1.jpg');
    await mkdir(join(root, 'lost+found'));
    await mkdir(join(root, 'empty'));
    refused(root, /holds images but no sub-directory with a file in it: put this folder into a new folder/);
  });
  it('holds only hidden files', async () => {
    await write('.a/1.jpg', '.a/2.jpg');
    refused(root, /holds neither images nor .* \(left out 2 files: 2 hidden \(\.a\/1\.jpg\)\)$/);
  });
  it('may not be read, or holds only folders that may not be read', async () => {
    await write('a/1.jpg');
    await chmod(root, 0o755);
    await chmod(join(root, 'a'), 0);
    asAnotherUser(() => {
      refused(root, /holds neither .* \(left out 1 folder: 1 unreadable \(a: permission denied\)\)$/);
    });
    await chmod(root, 0);
    asAnotherUser(() => {
      refused(root, /cannot read the folder .*permission denied/);
    });
    await chmod(root, 0o755);
    await chmod(join(root, 'a'), 0o755);
  });
});
