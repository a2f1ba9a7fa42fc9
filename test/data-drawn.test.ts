import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, rm, truncate, unlink, writeFile } from 'node:fs/promises';
import { readdirSync, readFileSync, statSync } from 'node:fs';
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
