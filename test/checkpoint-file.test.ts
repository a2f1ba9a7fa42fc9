import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { UserError } from '../src/common/errors.js';
import {
  Checkpoint,
  listCheckpoints,
  pruneCheckpoints,
  writeCheckpoint,
} from '../src/coordinator/checkpoint/checkpoint.js';
import type { ComputeGroup } from '../src/coordinator/compute-group.js';
import { RunFolder } from '../src/coordinator/run/run-folder.js';
import { modelLayout } from '../src/model/layout.js';
import { initialState, stateLayout } from '../src/model/state.js';
import type { TrainingOptions } from '../src/model/training-options.js';
import { bytesOf } from '../src/wire/chunks.js';
import { readTensors } from './support/trainer/run-results.js';

const TRAINING: TrainingOptions = {
  ...{
    architecture: 'tutorial',
    imageSize: 32,
    latentSize: 8,
    generatorFeatures: 4,
    discriminatorFeatures: 4,
  },
  ...{ batchSize: 16, shards: 2, seed: 1, threads: 1, learningRate: 2e-4, beta1: 0.5 },
  ...{ precision: 'fp32', eager: false },
};
const FACTS = { step: 12, epoch: 2, engine: 'native 2.21.0 cpu', datasetFingerprint: '9f3c' };
const layout = stateLayout(modelLayout(TRAINING));
const state = initialState(modelLayout(TRAINING), 1);

/** A group that hands over its state in pieces of so many bytes. */
function groupOf(piece: number, fail = false): ComputeGroup {
  return {
    async saveState(take: (bytes: Uint8Array, offset: number) => Promise<void> | void) {
      const bytes = bytesOf(state);
      for (let offset = 0; offset < bytes.length; offset += piece) {
        if (fail && offset > 0) throw new Error('worker 0 is gone');
        await take(bytes.subarray(offset, offset + piece), offset);
      }
    },
  } as ComputeGroup;
}

describe('a checkpoint', () => {
  let folder: string;
  let run: RunFolder;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'dcgan-test-'));
    run = await RunFolder.create(join(folder, 'run'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  const write = (step: number): Promise<string> =>
    writeCheckpoint(run, groupOf(10_000), TRAINING, { ...FACTS, step });

  it('is a safetensors file that another reader reads', async () => {
    const path = await write(12);
    const { metadata, tensors, bytes } = await readTensors(path);
    assert.deepEqual([metadata['step'], metadata['epoch'], metadata['engine']], ['12', '2', FACTS.engine]);
    assert.deepEqual(JSON.parse(metadata['options']), TRAINING);
    // By hand: the projection is [latent, 4 * 4 * 16], then three of stride 2; each parameter has two moments.
    assert.deepEqual(tensors.get('generator.parameters.layer0.kernel')?.shape, [8, 256]);
    assert.deepEqual(tensors.get('generator.secondMoment.layer3.kernel')?.shape, [4, 4, 3, 4]);
    assert.deepEqual(tensors.get('discriminator.parameters.layer0.kernel')?.shape, [4, 4, 3, 4]);
    assert.equal(tensors.size, layout.slots.length);
    for (const { name, offset, size } of layout.slots)
      assert.deepEqual(tensors.get(name)?.values, state.slice(offset, offset + size), name);
    assert.equal(bytes.length, state.byteLength);
    // The format wants its tensors aligned to 8 bytes.
    assert.equal(Number((await readFile(path)).readBigUInt64LE(0)) % 8, 0);
  });

  it('gives back what was saved, piece by piece', async () => {
    const checkpoint = await Checkpoint.open(await write(12), TRAINING);
    try {
      assert.deepEqual(checkpoint.facts, FACTS);
      assert.equal(checkpoint.bytes, state.byteLength);
      const pieces: Uint8Array[] = [];
      for (let offset = 0; offset < checkpoint.bytes; offset += 7000)
        pieces.push(await checkpoint.read(offset, Math.min(7000, checkpoint.bytes - offset)));
      assert.deepEqual(Buffer.concat(pieces), Buffer.from(bytesOf(state)));
      await assert.rejects(checkpoint.read(checkpoint.bytes - 1, 2), /was cut off/);
    } finally {
      await checkpoint.close();
    }
  });

  it('that could not be finished leaves nothing, and the one before as it was', async () => {
    await write(12);
    await assert.rejects(
      writeCheckpoint(run, groupOf(1000, true), TRAINING, { ...FACTS, step: 13 }),
      /is gone/,
    );
    assert.deepEqual(
      (await listCheckpoints(run)).map((path) => basename(path)),
      ['step-000012.safetensors'],
    );
  });

  it('is refused by name where it is damaged, wherever that is', async () => {
    const path = await write(12);
    const whole = await readFile(path);
    const start = 8 + Number(whole.readBigUInt64LE(0));
    const changed = (at: number, text: string): Buffer => {
      const copy = Buffer.from(whole);
      copy.write(text, at);
      return copy;
    };
    const damages: Readonly<Record<string, Buffer>> = {
      'nothing in it': Buffer.alloc(0),
      'a part of its length': whole.subarray(0, 5),
      'a part of its header': whole.subarray(0, 500),
      'no tensor': whole.subarray(0, start),
      'not all of its last number': whole.subarray(0, -1),
      'more than its tensors': Buffer.concat([whole, Buffer.alloc(4)]),
      'an absurd length': changed(0, '\xff\xff\xff\xff'),
      'no length': Buffer.concat([Buffer.alloc(8), whole.subarray(8)]),
      'a header that is no JSON': changed(8, '?'),
      'other names': changed(whole.indexOf('layer0.kernel'), 'layer9'),
      'another kind of number': changed(whole.indexOf('"F32"'), '"I32"'),
      'a step that is none': changed(whole.indexOf('"step":"12"'), '"step":"?!"'),
      'JSON of something else': Buffer.concat([Buffer.from('0400000000000000', 'hex'), Buffer.from('null')]),
    };
    for (const [name, bytes] of Object.entries(damages)) {
      await writeFile(path, bytes);
      await assert.rejects(
        Checkpoint.openNewest(run, TRAINING).then((checkpoint) => checkpoint.close()),
        (error) => error instanceof UserError && /step-000012\.safetensors is damaged/.test(error.message),
        name,
      );
    }
  });

  it('of another network is refused', async () => {
    const path = await write(12);
    await assert.rejects(
      Checkpoint.open(path, { ...TRAINING, latentSize: 9 }),
      /is damaged or of another network/,
    );
  });

  it('is the newest by its step, and only the newest are kept', async () => {
    for (const step of [999_999, 2, 1_000_000, 10]) await write(step);
    await writeFile(join(run.checkpoints, 'step-notes.txt'), 'not one of ours');
    const names = async (): Promise<string[]> => (await listCheckpoints(run)).map((path) => basename(path));
    const newest = await Checkpoint.openNewest(run, TRAINING);
    await newest.close();
    assert.equal(newest.facts.step, 1_000_000);
    await pruneCheckpoints(run, 9);
    assert.equal((await names()).length, 4);
    await pruneCheckpoints(run, 2);
    assert.deepEqual(await names(), ['step-999999.safetensors', 'step-1000000.safetensors']);
    assert.equal(await readFile(join(run.checkpoints, 'step-notes.txt'), 'utf8'), 'not one of ours');
  });

  it('that is not there is missed in one line', async () => {
    await assert.rejects(
      Checkpoint.openNewest(run, TRAINING),
      new UserError(`${run.path} has no checkpoint to go on from`),
    );
  });
});
