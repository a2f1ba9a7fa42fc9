import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { appendFile, mkdtemp, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { DamagedPack, Faces, faceBytes, PackWriter, Sampler, ShardBatches } from '../src/data/index.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'data-pack-'));
});
afterEach(() => rm(folder, { recursive: true }));

const SIZE = 4;
const FINGERPRINT = 'ab'.repeat(32);

/** A face all of whose bytes are `value`. */
const face = (value: number): Uint8Array => new Uint8Array(faceBytes(SIZE)).fill(value);

async function writePack(path: string, count: number): Promise<void> {
  const writer = await PackWriter.create(path, { size: SIZE, count, fingerprint: FINGERPRINT });
  for (let index = 0; index < count; index++) await writer.write(face(index));
  await writer.finish();
}

describe('a pack', () => {
  it('gives back what was written, in any order', async () => {
    const path = join(folder, 'a.pack');
    await writePack(path, 5);
    const faces = Faces.open(path);
    assert.deepEqual([faces.count, faces.size, faces.fingerprint], [5, SIZE, FINGERPRINT]);
    const into = new Uint8Array(3 * faceBytes(SIZE));
    faces.read([4, 0, 4], into);
    assert.deepEqual(into, Uint8Array.from([...face(4), ...face(0), ...face(4)]));
    assert.throws(() => {
      faces.read([5], face(0));
    }, /no face 5 in .*a\.pack, which has 5/);
    assert.throws(() => {
      faces.read([1, 2], face(0));
    }, RangeError);
    faces.close();
    assert.deepEqual(await readdir(folder), ['a.pack']);
  });

  it('is named by its pixels and their size', async () => {
    const write = async (values: number[]): Promise<string> => {
      const writer = await PackWriter.create(join(folder, 'x.pack'), { size: SIZE });
      for (const value of values) await writer.write(face(value));
      return (await writer.finish()).fingerprint;
    };
    assert.equal(await write([1, 2]), await write([1, 2]));
    assert.notEqual(await write([1, 2]), await write([2, 1]));
    assert.match(await write([1]), /^[0-9a-f]{64}$/);
  });

  it('is refused by name when it is cut off, too long or something else', async () => {
    const path = join(folder, 'a.pack');
    const refused = (message: RegExp): void => {
      assert.throws(
        () => Faces.open(path),
        (error) =>
          error instanceof DamagedPack && error.message.includes(path) && message.test(error.message),
      );
    };
    await writePack(path, 2);
    await appendFile(path, 'x');
    refused(/161 bytes, its 2 faces need 160/);
    await truncate(path, 100);
    refused(/100 bytes/);
    await writeFile(path, 'text');
    refused(/not a pack/);
  });

  it('leaves nothing when it is not finished, or not as announced', async () => {
    const path = join(folder, 'a.pack');
    const unfinished = await PackWriter.create(path, { size: SIZE });
    await unfinished.write(face(1));
    await unfinished.abort();
    const short = await PackWriter.create(path, { size: SIZE, count: 2, fingerprint: FINGERPRINT });
    await short.write(face(1));
    await assert.rejects(short.finish(), /2 faces were announced, 1 came/);
    assert.deepEqual(await readdir(folder), []);
  });

  it('says in one line that the disk is full, and leaves nothing', async (context) => {
    // A file system of 64 KiB, in a name space of its own.
    const program = `
      import { PackWriter } from '${new URL('../src/data/index.js', import.meta.url).href}';
      import { readdirSync } from 'node:fs';
      const writer = await PackWriter.create('${folder}/a.pack', { size: 64 });
      try { for (let i = 0; i < 100; i++) await writer.write(new Uint8Array(64 * 64 * 3)); }
      catch (error) { console.log(error.name + ': ' + error.message + ' ' + readdirSync('${folder}').length); }`;
    const mounted = `mount -t tmpfs -o size=64k none '${folder}' && exec "$0" --input-type=module -e "$1"`;
    const run = promisify(execFile)('unshare', ['-Urm', 'sh', '-c', mounted, process.execPath, program]);
    const result = await run.catch((error: unknown) => error as Error);
    if (result instanceof Error) {
      context.skip(`no name space to mount in: ${result.message.split('\n')[0]}`);
      return;
    }
    assert.match(result.stdout, /^UserError: no space left in .* for the decoded faces: make room.* 0\n$/);
  });
});

it('a shard reads its part of a batch, normalised', async () => {
  const path = join(folder, 'a.pack');
  await writePack(path, 9);
  const faces = Faces.open(path);
  const sampler = new Sampler({ count: 9, batch: 4, shards: 2, seed: 1 });
  const batches = new ShardBatches(faces, sampler);
  const into = new Float32Array(batches.length);
  batches.read(2, 1, into);
  const expected = [...sampler.indices(2, 1)].flatMap((image) =>
    Array.from({ length: faceBytes(SIZE) }, () => (Math.fround(image / 255) - 0.5) / 0.5),
  );
  assert.deepEqual(into, Float32Array.from(expected));
  faces.close();
});

it('a shard mirrors the images that its sampler says, pixel by pixel', async () => {
  const path = join(folder, 'mirror.pack');
  const size = 3;
  const writer = await PackWriter.create(path, { size });
  // Each byte of a face tells its row, its column and its channel: 27 bytes of face i begin at 27 * i.
  for (let face = 0; face < 9; face++)
    await writer.write(Uint8Array.from({ length: faceBytes(size) }, (_, i) => face * 27 + i));
  await writer.finish();
  const faces = Faces.open(path);
  const sampler = new Sampler({ count: 9, batch: 8, shards: 2, seed: 1, mirror: true });
  const batches = new ShardBatches(faces, sampler);
  const into = new Float32Array(batches.length);
  const expected: number[] = [];
  const seen = new Set<boolean>();
  for (let step = 1; step <= 4; step++) {
    batches.read(step, 1, into);
    const mirrored = sampler.mirrored(step, 1) ?? [];
    expected.length = 0;
    sampler.indices(step, 1).forEach((image, place) => {
      seen.add(mirrored[place]);
      for (let row = 0; row < size; row++)
        for (let column = 0; column < size; column++)
          for (let channel = 0; channel < 3; channel++) {
            const from = mirrored[place] ? size - 1 - column : column;
            const byte = image * 27 + (row * size + from) * 3 + channel;
            expected.push((Math.fround(byte / 255) - 0.5) / 0.5);
          }
    });
    assert.deepEqual(into, Float32Array.from(expected));
  }
  assert.equal(seen.size, 2, 'some are mirrored and some are not');
  faces.close();
});
