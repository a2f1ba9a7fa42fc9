import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { UserError } from '../src/common/errors.js';
import {
  dropCheckpointsAfter,
  listCheckpoints,
  pruneCheckpoints,
} from '../src/run/checkpoint/checkpoint-files.js';
import { Checkpoint } from '../src/run/checkpoint/checkpoint.js';
import { openCheckpoint, openNewestWhole } from '../src/run/checkpoint/open-checkpoint.js';
import { writeCheckpoint } from '../src/run/checkpoint/write-checkpoint.js';
import type { StateCopy } from '../src/model/state-source.js';
import { openRunAt, RunFolder } from '../src/run/run-directory.js';
import { modelLayout } from '../src/model/layout.js';
import { initialState, stateLayout } from '../src/model/state.js';
import { bytesOf } from '../src/common/bytes.js';
import { SMALL_TRAINING } from './support/small-model.js';
import { readTensors } from './support/trainer/run-results.js';

const FACTS = {
  ...{ step: 12, epoch: 2, engine: 'native 2.21.0 cpu', datasetFingerprint: '9f3c' },
};
const layout = stateLayout(modelLayout(SMALL_TRAINING));
const state = initialState(modelLayout(SMALL_TRAINING), 1);

/** A copy of the state that is handed over in pieces of so many bytes. */
function copyOf(piece: number, fail = false): StateCopy {
  return {
    async read(take) {
      const bytes = bytesOf(state);
      for (let offset = 0; offset < bytes.length; offset += piece) {
        if (fail && offset > 0) throw new Error('worker 0 is gone');
        await take(bytes.subarray(offset, offset + piece), offset);
      }
    },
  };
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

describe('a checkpoint', () => {
  let folder: string;
  let run: RunFolder;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'dcgan-test-'));
    run = await RunFolder.create(join(folder, 'run'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  async function write(step: number): Promise<string> {
    const path = run.checkpointFile(step);
    await writeCheckpoint(path, copyOf(10_000), SMALL_TRAINING, { ...FACTS, step });
    return path;
  }

  const names = async (): Promise<string[]> => (await readdir(run.checkpoints)).sort();

  const openIt = (path?: string): Promise<Checkpoint> =>
    openCheckpoint({ run, training: SMALL_TRAINING, path, advise: (whole) => `take ${whole}` });

  it('is a safetensors file that another reader reads', async () => {
    const path = await write(12);
    const { metadata, tensors, bytes } = await readTensors(path);
    assert.deepEqual([metadata['step'], metadata['epoch'], metadata['engine']], ['12', '2', FACTS.engine]);
    assert.deepEqual(JSON.parse(metadata['options']), SMALL_TRAINING);
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
    const checkpoint = await Checkpoint.open(await write(12), SMALL_TRAINING);
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

  it('has the digest of all of it but the digest, and tells the digest of its state', async () => {
    const path = await write(12);
    const { metadata } = await readTensors(path);
    const zeroed = Buffer.from(await readFile(path));
    zeroed.write('0'.repeat(64), zeroed.indexOf(metadata['sha256']), 'latin1');
    assert.equal(metadata['sha256'], sha256(zeroed));
    const checkpoint = await Checkpoint.open(path, SMALL_TRAINING);
    await checkpoint.close();
    assert.equal(checkpoint.digest, sha256(bytesOf(state)));
  });

  it('of another format is refused by its name', async () => {
    const path = await write(12);
    const bytes = await readFile(path);
    const { sha256: digest } = (await readTensors(path)).metadata;
    bytes.write('dcgan-trainer 1', bytes.indexOf('dcgan-trainer 2'), 'latin1');
    const zeroed = Buffer.from(bytes);
    zeroed.write('0'.repeat(64), bytes.indexOf(digest), 'latin1');
    bytes.write(sha256(zeroed), bytes.indexOf(digest), 'latin1');
    await writeFile(path, bytes);
    await assert.rejects(
      Checkpoint.open(path, SMALL_TRAINING),
      /has the format dcgan-trainer 1, expected dcgan-trainer 2; resume the run with the version that wrote it/,
    );
  });

  it('that could not be finished leaves nothing, and the one before as it was', async () => {
    await write(12);
    await assert.rejects(
      writeCheckpoint(run.checkpointFile(13), copyOf(1000, true), SMALL_TRAINING, { ...FACTS, step: 13 }),
      /is gone/,
    );
    assert.deepEqual(await names(), ['step-000012.safetensors']);
  });

  it('is given up with the signal, though its copy answers no more', async () => {
    const giveUp = new AbortController();
    const silent: StateCopy = {
      read: async (take) => {
        await take(new Uint8Array(10), 0);
        giveUp.abort(new Error('given up'));
        return new Promise(() => undefined);
      },
    };
    const path = run.checkpointFile(13);
    await assert.rejects(
      writeCheckpoint(path, silent, SMALL_TRAINING, FACTS, giveUp.signal),
      /^Error: given up$/,
    );
    assert.deepEqual(await names(), []);
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
    const damages: Readonly<Record<string, [Buffer, RegExp]>> = {
      'nothing in it': [Buffer.alloc(0), /no readable header/],
      'a part of its length': [whole.subarray(0, 5), /no readable header/],
      'a part of its header': [whole.subarray(0, 500), /no readable header/],
      'no tensor': [whole.subarray(0, start), /it has \d+ bytes, not \d+/],
      'not all of its last number': [whole.subarray(0, -1), /it has \d+ bytes, not \d+/],
      'more than its tensors': [Buffer.concat([whole, Buffer.alloc(4)]), /it has \d+ bytes, not \d+/],
      'an absurd length': [changed(0, '\xff\xff\xff\xff'), /no readable header/],
      'no length': [Buffer.concat([Buffer.alloc(8), whole.subarray(8)]), /no readable header/],
      'a header that is no JSON': [changed(8, '?'), /no readable header/],
      'other names': [changed(whole.indexOf('layer0.kernel'), 'layer9'), /checksum does not match/],
      'another kind of number': [changed(whole.indexOf('"F32"'), '"I32"'), /no readable header/],
      'another step': [changed(whole.indexOf('"step":"12"'), '"step":"13"'), /checksum does not match/],
      'another digest': [changed(whole.indexOf('"sha256":"') + 10, 'f0f0'), /checksum does not match/],
      'no digest': [
        changed(whole.indexOf('"sha256"'), '"sha512"'),
        /cannot be checked \(it has no checksum\)/,
      ],
      'a digest that is none': [changed(whole.indexOf('"sha256":"') + 10, 'G'), /it has no checksum/],
      'another bit in its first tensor': [flipped(whole, start), /checksum does not match/],
      'another bit in its last tensor': [flipped(whole, whole.length - 1), /checksum does not match/],
      'JSON of something else': [
        Buffer.concat([Buffer.from('0400000000000000', 'hex'), Buffer.from('null')]),
        /no readable header/,
      ],
    };
    for (const [name, [bytes, how]] of Object.entries(damages)) {
      await writeFile(path, bytes);
      await assert.rejects(
        openIt().then((checkpoint) => checkpoint.close()),
        (error) =>
          error instanceof UserError &&
          error.message.includes('step-000012.safetensors ') &&
          how.test(error.message) &&
          error.message.endsWith(': no checkpoint before it is whole, so start a new run'),
        name,
      );
    }
    await writeFile(path, whole);
    await (await openIt()).close();
  });

  it('that is damaged is refused with the newest before it that is whole', async () => {
    const paths: string[] = [];
    for (const step of [1, 2, 3, 4]) paths.push(await write(step));
    for (const path of [paths[1], paths[2]]) await writeFile(path, flipped(await readFile(path), 50_000));
    await assert.rejects(
      openIt(paths[2]),
      (error) =>
        error instanceof UserError &&
        error.message.endsWith(
          `step-000003.safetensors is damaged (its checksum does not match): take ${paths[0]}`,
        ),
    );
    for (const [before, step] of [
      [Infinity, 4],
      [4, 1],
    ]) {
      const newest = await openNewestWhole(run, SMALL_TRAINING, { before });
      await newest?.close();
      assert.equal(newest?.facts.step, step);
    }
    assert.equal(await openNewestWhole(run, SMALL_TRAINING, { before: 1 }), undefined);
    await rm(paths[3]);
    await mkdir(paths[3]);
    await assert.rejects(openIt(), /step-000004\.safetensors cannot be read \(EISDIR.*: take /);
  });

  it('finds its run, through a link too', async () => {
    await run.writeOptions({});
    const path = await write(12);
    const link = join(folder, 'link');
    await symlink(path, link);
    for (const given of [path, link]) {
      const place = await openRunAt(given);
      assert.deepEqual([place.run.path, place.checkpoint], [await realpath(run.path), await realpath(path)]);
    }
    assert.equal((await openRunAt(run.path)).checkpoint, undefined);
    await assert.rejects(openRunAt(run.optionsFile), /options\.json is not a checkpoint of a run: give/);
  });

  it('of another network is refused', async () => {
    const path = await write(12);
    await assert.rejects(
      Checkpoint.open(path, { ...SMALL_TRAINING, latentSize: 9 }),
      /step-000012\.safetensors is of another network than the run's/,
    );
  });

  it('is the newest by its step, and only the newest are kept', async () => {
    for (const step of [999_999, 2, 1_000_000, 10]) await write(step);
    await writeFile(join(run.checkpoints, 'step-notes.txt'), 'not one of ours');
    const newest = await openIt();
    await newest.close();
    assert.equal(newest.facts.step, 1_000_000);
    await pruneCheckpoints(run, 9);
    assert.equal((await listCheckpoints(run)).length, 4);
    await pruneCheckpoints(run, 2);
    assert.deepEqual(
      (await listCheckpoints(run)).map((path) => basename(path)),
      ['step-999999.safetensors', 'step-1000000.safetensors'],
    );
    assert.equal(await readFile(join(run.checkpoints, 'step-notes.txt'), 'utf8'), 'not one of ours');
  });

  it('after the step to go on from is removed, and so is what was left half-written', async () => {
    for (const step of [2, 4, 1_000_000]) await write(step);
    await writeFile(`${run.checkpointFile(6)}.4711.tmp`, 'half');
    await dropCheckpointsAfter(run, 2);
    assert.deepEqual(await names(), ['step-000002.safetensors']);
  });

  it('that is not there is missed in one line', async () => {
    await assert.rejects(openIt(), new UserError(`${run.path} has no checkpoint to resume from`));
  });
});

/** The same bytes but for one bit. */
function flipped(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at] ^= 1;
  return copy;
}
