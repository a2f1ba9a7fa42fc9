import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { UserError } from '../src/common/errors.js';
import { byCodePoint } from '../src/data/code-point-order.js';
import { listImageFolder } from '../src/data/image-folder.js';

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

  it('follows links, and ends where they lead back', async () => {
    await write('a/1.jpg', 'b/2.jpg');
    await symlink('../b', join(root, 'a/to-b'));
    await symlink('../a', join(root, 'b/to-a'));
    await symlink('..', join(root, 'a/up'));
    await symlink('self', join(root, 'a/self'));
    assert.deepEqual(
      listed().filter((path) => /\d\.jpg$/.test(path) && path.split('/').length <= 3),
      ['a/1.jpg', 'a/to-b/2.jpg', 'a/up/loose.jpg', 'b/2.jpg', 'b/to-a/1.jpg'].filter(
        (path) => !path.includes('loose'),
      ),
    );
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
      const { files, leftOut } = listImageFolder(root, false);
      const paths = files.map(({ path }) => path);
      assert.deepEqual(
        paths.filter((path) => !path.startsWith('a/parent/')),
        ['a/1.jpg', 'a/chain.jpg', 'a/b/2.jpg'],
      );
      assert.ok(!paths.some((path) => /secret|folder|class|through|file/.test(path)));
      assert.ok(leftOut >= 4);
      assert.deepEqual(
        listed(true).filter((path) => !path.startsWith('a/parent/')),
        [
          ...['a/1.jpg', 'a/chain.jpg', 'a/file.jpg', 'a/through.jpg', 'a/b/2.jpg'],
          ...['a/b/folder/secret.jpg', 'class/secret.jpg', 'class/deep/secret.jpg'],
        ],
      );
      assert.equal(listImageFolder(root, true).leftOut, 0);
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
      const refusal =
        /^all that \S+ holds is a link that leads out of it: give --follow-links where you trust/;
      const isRefusal = (error: unknown): boolean =>
        error instanceof UserError && refusal.test(error.message) && !error.message.includes('\n');
      assert.throws(() => listImageFolder(root, false), isRefusal);
      await mkdir(join(root, 'empty'));
      assert.throws(() => listImageFolder(root, false), isRefusal);
      assert.equal(listed(true).length, 2);
    });
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
});
