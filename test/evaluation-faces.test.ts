import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import * as tf from '@tensorflow/tfjs-core';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import sharp from 'sharp';
import { randomStream } from '../src/common/random.js';
import { UserError } from '../src/common/errors.js';
import { countFor } from '../src/evaluation/sample-count.js';
import { evaluatePacks } from '../src/evaluation/evaluate-packs.js';
import { drawFaces, faceBytes, PackWriter } from '../src/data/index.js';
import { FACE_PACKAGE_VERSION, findFacePackage } from '../src/evaluation/face-package.js';
import { FaceAnalyser } from '../src/evaluation/face-networks.js';
import { DESCRIPTOR_LENGTH } from '../src/evaluation/face-analysis.js';
import { startEngine } from './support/engine/start-engine.js';

const SIZE = 64;
const COUNT = 32;

/** What the package offers to its own users, one picture at a time. */
interface PublicApi {
  readonly nets: {
    readonly tinyFaceDetector: {
      locateFaces(picture: tf.Tensor3D, options: object): Promise<readonly object[]>;
    };
    readonly faceRecognitionNet: { computeFaceDescriptor(picture: tf.Tensor3D): Promise<Float32Array> };
  };
}

let folder: string;
let drawn: Uint8Array;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'evaluation-faces-'));
  await drawFaces({ folder: join(folder, 'drawn'), count: 4 * COUNT, seed: 11 });
  const names = (await readdir(join(folder, 'drawn', 'drawn'))).sort();
  const faces = names.map((name) =>
    sharp(join(folder, 'drawn', 'drawn', name))
      .resize(SIZE, SIZE)
      .removeAlpha()
      .raw()
      .toBuffer(),
  );
  drawn = Buffer.concat(await Promise.all(faces));
  assert.equal(drawn.length, 4 * COUNT * faceBytes(SIZE));
});
after(() => rm(folder, { recursive: true }));

function noise(count: number): Uint8Array {
  const stream = randomStream(0, 'noise pictures');
  return Uint8Array.from({ length: count * faceBytes(SIZE) }, () => uniformInt(stream, 0, 255));
}

async function pack(name: string, pictures: Uint8Array): Promise<string> {
  const writer = await PackWriter.create(join(folder, name), { size: SIZE });
  await writer.write(pictures);
  return (await writer.finish()).path;
}

describe('the face networks', () => {
  let analyser: FaceAnalyser;
  before(async () => {
    await startEngine('wasm');
    analyser = await FaceAnalyser.load(findFacePackage());
  });

  it('find a face in most drawn faces and in no noise', async () => {
    const faces = await analyser.analyse(drawn.subarray(0, COUNT * faceBytes(SIZE)), SIZE);
    const found = faces.found.reduce((sum, each) => sum + each, 0);
    assert.ok(found >= 0.8 * COUNT, `${found} of ${COUNT}`);
    const nothing = await analyser.analyse(noise(COUNT), SIZE);
    assert.deepEqual([...nothing.found], new Array<number>(COUNT).fill(0));
  });

  it('say what the package says of one picture at a time', async () => {
    const pictures = drawn.subarray(0, 8 * faceBytes(SIZE));
    const analysed = await analyser.analyse(pictures, SIZE);
    const api = createRequire(import.meta.url)(findFacePackage().code) as PublicApi;
    for (let index = 0; index < 8; index++) {
      const bytes = pictures.subarray(index * faceBytes(SIZE), (index + 1) * faceBytes(SIZE));
      const picture = tf.tensor3d(Float32Array.from(bytes), [SIZE, SIZE, 3]);
      const around: [number, number] = [SIZE / 2, SIZE / 2];
      const bordered = tf.pad(picture, [around, around, [0, 0]], 128);
      const options = { inputSize: 160, scoreThreshold: 0.5 };
      const located = await api.nets.tinyFaceDetector.locateFaces(bordered, options);
      assert.equal(analysed.found[index], located.length > 0 ? 1 : 0);
      const descriptor = await api.nets.faceRecognitionNet.computeFaceDescriptor(picture);
      const ours = analysed.descriptors.subarray(index * DESCRIPTOR_LENGTH, (index + 1) * DESCRIPTOR_LENGTH);
      for (const [i, value] of descriptor.entries()) assert.ok(Math.abs(ours[i] - value) < 1e-4);
      tf.dispose([picture, bordered]);
    }
  });

  it('keep no tensors', async () => {
    const pictures = drawn.subarray(0, 2 * faceBytes(SIZE));
    await analyser.analyse(pictures, SIZE);
    const { numTensors } = tf.memory();
    await analyser.analyse(pictures, SIZE);
    assert.equal(tf.memory().numTensors, numTensors);
  });
});

describe('an evaluation', () => {
  const engine = 'wasm';

  it('tells faces from noise, and other faces of the same kind are as near as real ones', async () => {
    const half = 2 * COUNT * faceBytes(SIZE);
    const reals = await pack('reals.pack', drawn.subarray(half));
    const samples = await pack('samples.pack', drawn.subarray(0, COUNT * faceBytes(SIZE)));
    const other = await pack('noise.pack', noise(COUNT));
    const realAnalysis = join(folder, 'analysed.json');
    const given = { reals, count: COUNT, seed: 0, engine, realAnalysis } as const;
    const faces = await evaluatePacks({ ...given, samples });
    const { evaluation } = await evaluatePacks({ ...given, samples: other });

    assert.equal(faces.evaluation.count, COUNT);
    assert.ok(faces.evaluation.faceShare >= 0.8);
    const { frechetDistance, realFrechetDistance, frechetDistanceInterval: interval } = faces.evaluation;
    assert.ok(frechetDistance < 2 * realFrechetDistance, `${frechetDistance}, ${realFrechetDistance}`);
    assert.ok(interval[0] < frechetDistance && frechetDistance < interval[1]);
    assert.equal(evaluation.faceShare, 0);
    // Of so few pictures the distance of faces from faces is far from 0.
    assert.ok(
      evaluation.frechetDistance > 2.5 * frechetDistance,
      `${evaluation.frechetDistance}, ${frechetDistance}`,
    );
    // The same real faces, of which the second one has read what the first one has kept.
    assert.equal(evaluation.realFrechetDistance, realFrechetDistance);
    assert.equal(evaluation.realFaceShare, faces.evaluation.realFaceShare);
  });

  it('of copies finds them out', async () => {
    const reals = await pack('copied.pack', drawn.subarray(0, 2 * COUNT * faceBytes(SIZE)));
    const copies = await evaluatePacks({ samples: reals, reals, count: COUNT, seed: 0, engine });
    // Some of the copied are not among the real faces that the seed chooses for comparison.
    assert.ok(copies.evaluation.nearestDistance < 0.5 * copies.evaluation.realNearestDistance);
    // A row's first face, and the first of those with the nearest pixels: that one itself.
    const { width, pixels } = copies.sheet;
    const at = (left: number): number[] => [
      ...pixels.subarray((2 * width + left) * 3, (2 * width + left + SIZE) * 3),
    ];
    assert.deepEqual(at(2), at(2 + 4 * (SIZE + 2) + 2 * 12));
  });
});

describe('what an evaluation needs', () => {
  it('is the version that the lock has', () => {
    const lock = JSON.parse(readFileSync(new URL('../../package-lock.json', import.meta.url), 'utf8')) as {
      packages: Record<string, { version: string }>;
    };
    assert.equal(lock.packages['node_modules/@vladmandic/face-api'].version, FACE_PACKAGE_VERSION);
    assert.equal(findFacePackage().version, FACE_PACKAGE_VERSION);
  });

  it('are twice as many real faces as samples', () => {
    assert.equal(countFor(1000, 4000), 1000);
    assert.equal(countFor(1000, 301), 150);
    assert.throws(() => countFor(1000, 3), UserError);
  });
});
