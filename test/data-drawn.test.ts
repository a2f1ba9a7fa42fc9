import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdir, mkdtemp, rm, truncate, unlink, writeFile } from 'node:fs/promises';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { UserError } from '../src/common/errors.js';
import { drawFaces, prepareFaces } from '../src/data/index.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'data-drawn-'));
});
afterEach(() => rm(folder, { recursive: true }));

/** Name and content of each drawn face. */
function hashes(root: string): Record<string, string> {
  const drawn = join(root, 'drawn');
  return Object.fromEntries(
    readdirSync(drawn)
      .sort()
      .map((name) => [
        name,
        createHash('sha256')
          .update(readFileSync(join(drawn, name)))
          .digest('hex'),
      ]),
  );
}

describe('drawn faces', () => {
  it('are the same for the same seed, whatever their number, and differ otherwise', async () => {
    const [a, b, c] = ['a', 'b', 'c'].map((name) => join(folder, name));
    await drawFaces({ folder: a, count: 6, seed: 1 });
    await drawFaces({ folder: b, count: 4, seed: 1 });
    await drawFaces({ folder: c, count: 6, seed: 2 });
    const first = hashes(a);
    assert.deepEqual(Object.keys(first), [
      '00000.png',
      '00001.png',
      '00002.png',
      '00003.png',
      '00004.png',
      '00005.png',
    ]);
    assert.equal(new Set([...Object.values(first), ...Object.values(hashes(c))]).size, 12);
    assert.deepEqual(hashes(b), Object.fromEntries(Object.entries(first).slice(0, 4)));
  });

  it('are completed where a run was interrupted, and not drawn twice', async () => {
    const root = join(folder, 'a');
    await drawFaces({ folder: root, count: 4, seed: 1 });
    const whole = hashes(root);
    await unlink(join(root, 'drawn/00001.png'));
    await truncate(join(root, 'drawn/00002.png'), 0);
    const kept = statSync(join(root, 'drawn/00000.png')).mtimeMs;
    const progress: number[] = [];
    await drawFaces({ folder: root, count: 4, seed: 1, onProgress: (done) => progress.push(done) });
    assert.deepEqual(hashes(root), whole);
    assert.equal(statSync(join(root, 'drawn/00000.png')).mtimeMs, kept);
    assert.equal(progress.at(-1), 4);
  });

  it('are an image folder', async () => {
    const root = join(folder, 'a');
    await drawFaces({ folder: root, count: 3, seed: 1 });
    const prepared = await prepareFaces({ root, size: 32, cache: join(folder, 'cache'), maxBrokenShare: 0 });
    assert.equal(prepared.count, 3);
  });

  it('are not put among the files of others, nor among other faces', async () => {
    const refused = (
      options: { folder: string; count: number; seed: number },
      message: RegExp,
    ): Promise<void> =>
      assert.rejects(
        drawFaces(options),
        (error) => error instanceof UserError && message.test(error.message),
      );
    await writeFile(join(folder, 'file'), '');
    await refused({ folder, count: 1, seed: 1 }, /is not empty and holds no drawn faces/);
    await refused({ folder: join(folder, 'file'), count: 1, seed: 1 }, /is a file/);
    const root = join(folder, 'a');
    await drawFaces({ folder: root, count: 2, seed: 1 });
    await refused({ folder: root, count: 2, seed: 5 }, /drawn from another seed/);
    await refused({ folder: root, count: 1, seed: 1 }, /holds 2 drawn faces, more than 1/);
  });

  it('of the cache are whole whatever lies in their folder', async () => {
    const [quiet, root] = [join(folder, 'quiet'), join(folder, 'root')];
    const draw = async (at: string): Promise<string[]> => {
      const began: string[] = [];
      await drawFaces({
        ...{ folder: at, count: 6, seed: 1, isOwn: true },
        onBegin: (faces, damaged) => began.push(`${faces}${damaged ? ' damaged' : ''}`),
      });
      return began;
    };
    assert.deepEqual(await draw(quiet), ['6']);
    assert.deepEqual(await draw(quiet), []);
    const whole = hashes(quiet);
    const mark = readFileSync(join(quiet, 'drawn-faces.json'), 'utf8');
    const drawn = (name: string): string => join(root, 'drawn', name);
    const uuid = '4bd4ae30-6a2c-4c63-8a4c-7a1b1dbbd8d1';
    const mess: Record<string, { make: () => Promise<void>; began: string[] }> = {
      'temporary files of an earlier version': {
        make: async () => {
          for (const name of ['00002.png', '00007.png'])
            await copyFile(drawn('00001.png'), drawn(`${name}.${uuid}.tmp`));
          // Such a folder had no content in its mark.
          await writeFile(join(root, 'drawn-faces.json'), '{"drawing":1,"seed":1}');
        },
        began: [],
      },
      'more faces, and folders': {
        make: async () => {
          await copyFile(drawn('00001.png'), drawn('00006.png'));
          await mkdir(join(root, 'another'));
          await copyFile(drawn('00001.png'), join(root, 'another/00000.png'));
          await writeFile(join(root, 'drawn-faces.json'), '{"drawing":1,"seed":1,"count":7,"content":"ab"}');
        },
        began: [],
      },
      'a kill before the mark': {
        make: async () => {
          await rm(root, { recursive: true });
          await mkdir(join(root, 'drawn'), { recursive: true });
        },
        began: ['6'],
      },
      'a mark cut off': { make: () => truncate(join(root, 'drawn-faces.json'), 3), began: ['6'] },
      'a face lost': { make: () => unlink(drawn('00003.png')), began: ['6 damaged'] },
      'a byte changed': {
        make: async () => {
          const bytes = readFileSync(drawn('00003.png'));
          bytes[100] ^= 1;
          await writeFile(drawn('00003.png'), bytes);
        },
        began: ['6 damaged'],
      },
      'faces of another seed': {
        make: async () => {
          await rm(root, { recursive: true });
          await drawFaces({ folder: root, count: 6, seed: 2 });
        },
        began: ['6'],
      },
    };
    await draw(root);
    for (const [name, { make, began }] of Object.entries(mess)) {
      await make();
      assert.deepEqual(await draw(root), began, name);
      assert.deepEqual(hashes(root), whole, name);
      assert.deepEqual(readdirSync(root).sort(), ['drawn', 'drawn-faces.json'], name);
      assert.equal(readFileSync(join(root, 'drawn-faces.json'), 'utf8'), mark, name);
    }
  });

  it('may be drawn by several processes at once', async () => {
    const root = join(folder, 'a');
    for (const isOwn of [false, true]) {
      await Promise.all(
        Array.from({ length: 3 }, () => drawFaces({ folder: root, count: 12, seed: 1, isOwn })),
      );
      assert.equal(Object.keys(hashes(root)).length, 12);
      assert.deepEqual(readdirSync(root).sort(), ['drawn', 'drawn-faces.json']);
      await rm(root, { recursive: true });
    }
  });

  it('of a folder that a killed process has begun are no strangers', async () => {
    const root = join(folder, 'a');
    await mkdir(join(root, 'drawn'), { recursive: true });
    await writeFile(join(root, 'drawn-faces.json.4bd4ae30-6a2c-4c63-8a4c-7a1b1dbbd8d1.tmp'), '');
    await drawFaces({ folder: root, count: 2, seed: 1 });
    assert.deepEqual(Object.keys(hashes(root)), ['00000.png', '00001.png']);
  });

  it('leave nothing unfinished among the images when all is killed', async () => {
    const [quiet, root] = [join(folder, 'quiet'), join(folder, 'root')];
    await drawFaces({ folder: quiet, count: 60, seed: 1, isOwn: true });
    const parent = join(folder, 'parent.mjs');
    writeFileSync(
      parent,
      `import { drawFaces } from '${new URL('../src/data/index.js', import.meta.url).href}';
       const options = ${JSON.stringify({ folder: root, count: 60, seed: 1, isOwn: true })};
       await drawFaces({ ...options, onProgress: (done) => process.send(done) });`,
    );
    for (const enough of [1, 20, 59]) {
      // In a process group of its own: painter and parent go at the same moment.
      const child = spawn(process.execPath, [parent], {
        detached: true,
        stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      });
      const { pid } = child;
      assert.ok(pid);
      let isKilled = false;
      child.on('message', (done) => {
        if (isKilled || Number(done) < enough) return;
        isKilled = true;
        process.kill(-pid, 'SIGKILL');
      });
      await once(child, 'close');
      const names = readdirSync(join(root, 'drawn'));
      assert.deepEqual(
        names.filter((name) => !/^\d{5}\.png$/.test(name)),
        [],
      );
      const whole = hashes(quiet);
      for (const [name, hash] of Object.entries(hashes(root))) assert.equal(hash, whole[name], name);
    }
    await drawFaces({ folder: root, count: 60, seed: 1, isOwn: true });
    assert.deepEqual(hashes(root), hashes(quiet));
    assert.deepEqual(readdirSync(root).sort(), ['drawn', 'drawn-faces.json']);
  });

  it('stop when they are told to', async () => {
    const abort = new AbortController();
    const drawing = drawFaces({
      folder: join(folder, 'a'),
      count: 500,
      seed: 1,
      signal: abort.signal,
      onProgress: () => {
        abort.abort(new Error('stopped'));
      },
    });
    await assert.rejects(drawing, /^Error: stopped$/);
  });
});
