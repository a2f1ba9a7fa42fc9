import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import sharp from 'sharp';
import { fillNormal, randomStream } from '../src/common/random.js';
import { Faces, prepareFaces, Sampler, ShardBatches } from '../src/data/index.js';
import type { ModelOptions } from '../src/model/architecture.js';
import { shardNoise } from '../src/model/noise.js';
import { channelsFirst } from './support/channels-first.js';
import { startEngine } from './support/engine/start-engine.js';
import { facesOf, largestDifference } from './support/exported-generator.js';
import { skipWithout } from './support/optional-tools.js';
import { EXAMPLES, findPyTorch, run as execute, runInterchange } from './support/python.js';
import { readSafetensors } from './support/safetensors.js';
import { expectSameRun, readStats } from './support/trainer/run-results.js';
import { Workplace } from './support/trainer/workplace.js';
import { writeSafetensors } from './support/write-safetensors.js';

/** The tutorial's sizes but for the features: its class is the paper's generator at 64 pixels. */
const MODEL: ModelOptions = {
  ...{ architecture: 'paper', imageSize: 64, latentSize: 8, generatorFeatures: 2, discriminatorFeatures: 4 },
};
const BATCH = 16;
const OPTIONS = [
  ...['--architecture', 'paper', '--image-size', '64', '--generator-features', '2'],
  ...['--steps', '3', '--sample-every', '0'],
];

const QUICK = ['--steps', '12', '--learning-rate', '0.1'];

/** What both draw from the same noise, in [-1, 1]. */
const FACE_TOLERANCE = 1e-4;
/** Of the first step, relative. Each step after it starts from weights that are not quite the same any more. */
const FIRST_LOSS_TOLERANCE = 1e-5;
const LOSS_TOLERANCE = 1e-3;

describe('weights that go to PyTorch and back', { skip: skipWithout('PyTorch') }, () => {
  let workplace: Workplace;
  let python: string;
  /** What PyTorch prints for the steps that the run begins with. */
  let printed: Record<string, number>[];
  before(async () => {
    python = findPyTorch() ?? '';
    await startEngine('wasm');
    workplace = await Workplace.make();
    await mkdir(workplace.path('from-pytorch'));
    printed = await trainInPyTorch(workplace.path('from-pytorch'));
  });
  after(() => workplace.remove());

  async function coordinator(args: readonly string[]): Promise<string> {
    const { code, lines, stdout } = await workplace.start(args).ended();
    assert.equal(code, 0, lines.join('\n'));
    return stdout;
  }

  const train = (run: string, args: readonly string[]): Promise<string> =>
    coordinator(workplace.training(run, [...OPTIONS, ...args]));

  it('are trained on with the losses of PyTorch, alone and in a fleet', async () => {
    const run = workplace.path('continued');
    await train(run, ['--single-node', '--init', 'from-pytorch']);
    const stats = await readStats(run);
    assert.equal(stats.length, printed.length);
    printed.forEach((expected, index) => {
      for (const [name, value] of Object.entries(expected)) {
        const error = Math.abs(stats[index][name] / value - 1);
        const tolerance = index === 0 ? FIRST_LOSS_TOLERANCE : LOSS_TOLERANCE;
        assert.ok(
          error < tolerance,
          `step ${index + 1}: ${name} is ${stats[index][name]}, PyTorch's is ${value}`,
        );
      }
    });

    // The state goes to workers, and through a resumption, as that of a checkpoint does.
    const shards = ['--shards', '2', '--init', 'from-pytorch'];
    const [alone, fleet] = ['alone', 'fleet'].map((name) => workplace.path(name));
    await train(fleet, ['--workers', '2', ...shards]);
    await train(alone, ['--single-node', ...shards, '--steps', '1']);
    await coordinator(['train', '--resume', alone, '--steps', '3']);
    await expectSameRun(fleet, alone);
  });

  it("draw the same faces with the tutorial's own class, and with the example", async () => {
    const run = workplace.path('continued');
    assert.equal(
      await coordinator(['export', 'continued', '--format', 'pytorch', '--out', 'exported']),
      'exported: pytorch weights from step 3\n',
    );
    const noise = fillNormal(new Float32Array(12 * MODEL.latentSize), randomStream(5, 'test'));
    const [given, drawn] = [workplace.path('noise.safetensors'), workplace.path('drawn.safetensors')];
    await writeSafetensors(given, { noise: { shape: [12, MODEL.latentSize], values: noise } });
    await runInterchange(python, ['draw', workplace.path('exported'), given, drawn]);
    const tensors = await readSafetensors(new URL(`file://${drawn}`));
    const [theirs, seeded] = [tensors.get('faces'), tensors.get('noise of seed 4')];
    assert.ok(theirs && seeded);
    assert.deepEqual(theirs.shape, [12, 3, 64, 64]);
    const ours = channelsFirst(await facesOf(run, MODEL, noise), MODEL.imageSize);
    const difference = largestDifference(ours, theirs.values);
    assert.ok(difference < FACE_TOLERANCE, `they differ by ${difference}`);
    // Grey faces would be the same whatever the weights' order.
    assert.ok(largestDifference(ours.subarray(0, 12288), ours.subarray(12288, 24576)) > 0.5);
    assert.ok(tensors.get('scores')?.values.every((score) => score > 0 && score < 1));
    await compareExample('exported', await facesOf(run, MODEL, seeded.values), 64);

    // Another size, for which the example builds the layers from the weights. Large steps leave no grey.
    const small = workplace.path('small');
    await train(small, ['--single-node', '--architecture', 'tutorial', '--image-size', '32', ...QUICK]);
    await coordinator(['export', small, '--format', 'pytorch', '--out', 'exported-32']);
    const model: ModelOptions = { ...MODEL, architecture: 'tutorial', imageSize: 32 };
    await compareExample('exported-32', await facesOf(small, model, seeded.values), 32);
  });

  it('are refused as the file of torch.save, with the way to convert it', async () => {
    const { code, lines } = await workplace.run('refused', [...OPTIONS, '--init', 'generator.pth']);
    assert.equal(code, 2);
    assert.match(
      lines[0],
      /^coordinator: generator\.pth is a file of torch\.save.*convert it .*torch\.load\(/,
    );
  });

  /** What the example draws with seed 4 is these faces, in 256 steps. */
  async function compareExample(exported: string, faces: Float32Array, size: number): Promise<void> {
    const picture = workplace.path(`${exported}.png`);
    const said = await execute(python, [
      join(EXAMPLES, 'pytorch/draw.py'),
      ...[workplace.path(exported), '--count', '10', '--seed', '4', '--out', picture],
    ]);
    assert.equal(said, `${picture}: 10 faces\n`);
    const { data, info } = await sharp(picture).raw().toBuffer({ resolveWithObject: true });
    assert.deepEqual([info.width, info.height, info.channels], [8 * size, 2 * size, 3]);
    assert.equal(faces.length, 10 * size ** 2 * 3);
    assert.ok(Math.max(...faces.subarray(0, 3000)) - Math.min(...faces.subarray(0, 3000)) > 0.5);
    faces.forEach((value, i) => {
      const [face, y, x] = [size ** 2 * 3, size * 3, 3].map((part) => Math.floor(i / part));
      const row = Math.floor(face / 8) * size + (y % size);
      const column = (face % 8) * size + (x % size);
      const pixel = data[(row * info.width + column) * 3 + (i % 3)];
      assert.ok(Math.abs(pixel - (value + 1) * 127.5) < 0.6, `${pixel} where ${value} belongs`);
    });
  }

  /** Trains there, and leaves the weights. Returns what PyTorch then prints for the run's first steps. */
  async function trainInPyTorch(folder: string): Promise<Record<string, number>[]> {
    const { imageSize: size, latentSize } = MODEL;
    const cache = workplace.path('cache');
    const prepared = await prepareFaces({ root: workplace.images, size, cache, maxBrokenShare: 0 });
    const faces = Faces.open(prepared.path);
    const sampler = new Sampler({ count: faces.count, batch: BATCH, shards: 1, seed: 0 });
    const images = new ShardBatches(faces, sampler);
    const [image, steps] = [size ** 2 * 3, [1, 2, 3]];
    const reals = new Float32Array(steps.length * BATCH * image);
    const noises = new Float32Array(steps.length * BATCH * latentSize);
    steps.forEach((step, i) => {
      const real = new Float32Array(BATCH * image);
      images.read(step, 0, real);
      reals.set(channelsFirst(real, size), i * real.length);
      shardNoise(0, step, 0, noises.subarray(i * BATCH * latentSize, (i + 1) * BATCH * latentSize));
    });
    faces.close();
    await writeSafetensors(workplace.path('batches.safetensors'), {
      reals: { shape: [steps.length, BATCH, 3, size, size], values: reals },
      noises: { shape: [steps.length, BATCH, latentSize], values: noises },
    });
    const printed = await runInterchange(python, ['train', workplace.path('batches.safetensors'), folder]);
    return JSON.parse(printed) as Record<string, number>[];
  }
});
