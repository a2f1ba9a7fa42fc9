import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { Faces, faceBytes, packPath, PackWriter, Sampler } from '../src/data/index.js';
import { findWholeDataset, shardImages } from '../src/worker/shard-images.js';

const SIZE = 4;
const FACE = faceBytes(SIZE);
const COUNT = 9;
const sampler = new Sampler({ count: COUNT, batch: 4, shards: 2, seed: 1 });

let cache: string;
let fetched: number[];
let lines: string[];
const log = (line: string): unknown => lines.push(line);

beforeEach(async () => {
  cache = await mkdtemp(join(tmpdir(), 'worker-images-'));
  fetched = [];
  lines = [];
});
afterEach(() => rm(cache, { recursive: true }));

/** Face i is all of value i. */
function faceOf(image: number): Uint8Array {
  return new Uint8Array(FACE).fill(image);
}

const dataset = { fingerprint: 'cd'.repeat(32), count: COUNT, size: SIZE };

/** Opens the images of both shards, and reads the first batch of each. */
async function read(): Promise<number[][]> {
  const images = await shardImages({ cache, dataset, sampler, shards: [0, 1], log }, async (shard, take) => {
    fetched.push(shard);
    for (let own = 0; own < sampler.sizeOf(shard); own++) await take(faceOf(sampler.imageOf(shard, own)));
  });
  const into = new Float32Array(sampler.shardBatch * FACE);
  const batches = [0, 1].map((shard) => {
    images.read(1, shard, into);
    return Array.from({ length: sampler.shardBatch }, (_, face) =>
      Math.round((into[face * FACE] * 0.5 + 0.5) * 255),
    );
  });
  images.close();
  return batches;
}

const packs = (): string[] => readdirSync(join(cache, 'shards')).sort();
const expected = [0, 1].map((shard) => [...sampler.indices(1, shard)]);

describe('the images of shards', () => {
  it('are fetched once, and again in one line if their pack is damaged or another one', async () => {
    assert.deepEqual(await read(), expected);
    assert.deepEqual(await read(), expected);
    assert.deepEqual(fetched, [0, 1]);
    const [path, otherPath] = packs().map((name) => join(cache, 'shards', name));
    const bytes = readFileSync(path);
    const damages: Record<string, Buffer> = {
      'every seventh byte': Buffer.from(
        bytes.map((byte, index) => (index >= 64 && index % 7 === 0 ? byte ^ 255 : byte)),
      ),
      'one bit': Buffer.from(bytes.map((byte, index) => (index === 80 ? byte ^ 1 : byte))),
      'cut off': bytes.subarray(0, -1),
      'no digest': Buffer.from(bytes.map((byte, index) => (index >= 48 && index < 64 ? 0 : byte))),
      'another dataset': Buffer.from(bytes.map((byte, index) => (index === 16 ? byte ^ 1 : byte))),
      'another shard': readFileSync(otherPath),
      nothing: Buffer.alloc(0),
    };
    for (const [name, damaged] of Object.entries(damages)) {
      writeFileSync(path, damaged);
      [fetched, lines] = [[], []];
      assert.deepEqual(await read(), expected, name);
      assert.deepEqual(fetched, [0], name);
      assert.deepEqual(lines, [`the images of shard 0 in ${path} are damaged: fetching them again`]);
      assert.deepEqual(readFileSync(path), bytes, name);
    }
  });

  it('leave no room taken by workers that were killed, nor by runs of long ago', async () => {
    const folder = join(cache, 'shards');
    const script = join(cache, 'killed.mjs');
    const ownDigest = 'ef'.repeat(32);
    writeFileSync(
      script,
      `import { PackWriter } from '${new URL('../src/data/index.js', import.meta.url).href}';
       const writer = await PackWriter.create('${join(folder, 'x.pack')}', { size: 4, fingerprint: '${ownDigest}' });
       await writer.write(new Uint8Array(${FACE}));
       setInterval(() => undefined, 1000);
       process.send('fetching');`,
    );
    const child = spawn(process.execPath, [script], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    await once(child, 'message');
    await read();
    const byLiving = packs().filter((name) => name.endsWith('.tmp'));
    assert.equal(byLiving.length, 1, 'what a living worker writes stays');
    child.kill('SIGKILL');
    await once(child, 'close');

    const longAgo = new Date(Date.now() - 31 * 24 * 60 * 60 * 1000);
    for (const name of [`${ownDigest}-0-of-1.pack`, `old.pack.4bd4ae30-6a2c-4c63-8a4c-7a1b1dbbd8d1.tmp`]) {
      writeFileSync(join(folder, name), '');
      utimesSync(join(folder, name), longAgo, longAgo);
    }
    const used = packs().filter((name) => name.startsWith(dataset.fingerprint));
    for (const name of used) utimesSync(join(folder, name), longAgo, longAgo);
    await read();
    assert.deepEqual(packs(), used);
    assert.deepEqual(fetched, [0, 1], 'packs in use stay, old as they are');
  });
});

describe("the whole dataset in a worker's cache", () => {
  it('is used if it is undamaged, and otherwise left alone in one line', async () => {
    mkdirSync(join(cache, 'faces'));
    const writer = await PackWriter.create((header) => packPath(cache, header.fingerprint), {
      ...{ size: SIZE, temporary: join(cache, 'faces/new') },
    });
    for (let image = 0; image < COUNT; image++) await writer.write(faceOf(image));
    const { path, fingerprint } = await writer.finish();
    const wanted = { ...dataset, fingerprint };
    const options = { data: undefined, followLinks: false };
    const found = await findWholeDataset(cache, options, wanted, log);
    assert.ok(found instanceof Faces);
    found.close();
    assert.deepEqual(lines, []);
    const bytes = readFileSync(path);
    bytes[100] ^= 1;
    writeFileSync(path, bytes);
    assert.equal(await findWholeDataset(cache, options, wanted, log), undefined);
    assert.equal(lines.length, 1);
    assert.match(lines[0], /are damaged: fetching this worker's images from the coordinator$/);
  });
});
