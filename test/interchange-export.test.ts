import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it, mock } from 'node:test';
import { makeFolderAtomically } from '../src/common/files/atomic-folder.js';
import { UserError } from '../src/common/errors.js';
import { writeCheckpoint } from '../src/run/checkpoint/write-checkpoint.js';
import type { TakeBytes } from '../src/model/state-source.js';
import { exportWeights } from '../src/cli/export.js';
import { readInitial } from '../src/formats/read-initial.js';
import type { ExportFormat } from '../src/formats/weights-config.js';
import { RunFolder } from '../src/run/run-directory.js';
import { NETWORKS } from '../src/model/architecture.js';
import { modelLayout } from '../src/model/layout.js';
import { initialState, stateLayout } from '../src/model/state.js';
import type { TrainingOptions } from '../src/model/training-options.js';
import { bytesOf } from '../src/common/bytes.js';
import { SMALL_TRAINING } from './support/small-model.js';

const FACTS = { step: 12, epoch: 2, engine: 'none', datasetFingerprint: '9f3c' };

describe('an export', () => {
  let folder: string;
  let run: RunFolder;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'dcgan-test-'));
    run = await RunFolder.create(join(folder, 'run'));
    mock.method(process.stdout, 'write', (_text: string, done: () => void) => {
      done();
      return true;
    });
  });
  afterEach(async () => {
    mock.restoreAll();
    await rm(folder, { recursive: true });
  });

  const path = (...names: string[]): string => join(folder, ...names);

  /** A checkpoint of a state, in which everything but the moments differs from its neighbours. */
  async function save(training: TrainingOptions): Promise<Float32Array> {
    const layout = modelLayout(training);
    const state = initialState(layout, 7);
    for (const network of NETWORKS) {
      const { start, end } = stateLayout(layout).spans[network].runningStatistics;
      for (let i = start; i < end; i++) state[i] = 1 + i / 1024;
    }
    const { average } = stateLayout(layout);
    for (let i = average.start; i < average.end; i++) state[i] += 1;
    await run.writeOptions({ training, arguments: {} });
    const copy = {
      read: async (take: TakeBytes) => {
        await take(bytesOf(state), 0);
      },
    };
    await writeCheckpoint(run.checkpointFile(FACTS.step), copy, training, FACTS);
    return state;
  }

  const write = (format: ExportFormat, out = path('out')): Promise<void> =>
    exportWeights(run.path, { format, out });

  async function stateRead(from: string, training: TrainingOptions): Promise<Float32Array> {
    const { state } = await readInitial(from, training);
    // In parts that cut tensors anywhere.
    const bytes = new Uint8Array(state.bytes);
    for (let at = 0; at < bytes.length; at += 1001)
      bytes.set(await state.read(at, Math.min(1001, bytes.length - at)), at);
    return new Float32Array(bytes.buffer);
  }

  it('for PyTorch brings both networks back, with both Adams at zero', async () => {
    const state = await save(SMALL_TRAINING);
    await write('pytorch');
    assert.deepEqual(await stateRead(path('out'), SMALL_TRAINING), state);
    assert.deepEqual((await readdir(path('out'))).sort(), [
      ...['README.md', 'config.json', 'discriminator.safetensors', 'generator.safetensors'],
    ]);
    const { facts } = await readInitial(path('out'), SMALL_TRAINING);
    assert.deepEqual([facts.format, facts.networks], ['pytorch', ['generator', 'discriminator']]);
  });

  it('for TensorFlow.js brings the generator back, and the seed the discriminator', async () => {
    const state = await save(SMALL_TRAINING);
    await write('tfjs');
    const expected = initialState(modelLayout(SMALL_TRAINING), SMALL_TRAINING.seed);
    for (const part of ['parameters', 'runningStatistics'] as const) {
      const { start, end } = stateLayout(modelLayout(SMALL_TRAINING)).spans.generator[part];
      expected.set(state.subarray(start, end), start);
    }
    assert.deepEqual(await stateRead(path('out'), SMALL_TRAINING), expected);
    assert.deepEqual(await stateRead(path('out/model.json'), SMALL_TRAINING), expected);
  });

  for (const format of ['pytorch', 'tfjs'] as const)
    it(`of a run with a moving average holds that: ${format}`, async () => {
      const training: TrainingOptions = { ...SMALL_TRAINING, ema: 0.99 };
      const layout = modelLayout(training);
      const { spans, average } = stateLayout(layout);
      const state = await save(training);
      await write(format);
      // A run without takes the average for its weights, and one with begins its average with them.
      for (const next of [SMALL_TRAINING, training]) {
        const read = await stateRead(path('out'), next);
        const { parameters, runningStatistics } = spans.generator;
        const middle = average.start + layout.generator.parameterCount;
        const part = ({ start, end }: { start: number; end: number }): Float32Array =>
          read.subarray(start, end);
        assert.deepEqual(part(parameters), state.subarray(average.start, middle));
        assert.deepEqual(part(runningStatistics), state.subarray(middle, average.end));
        if (next === training) assert.deepEqual(part(average), state.subarray(average.start, average.end));
      }
    });

  it('cuts the weights of a page into files of 4 MiB', async () => {
    const training: TrainingOptions = { ...SMALL_TRAINING, generatorFeatures: 64, latentSize: 100 };
    const state = await save(training);
    await write('tfjs');
    const files = (await readdir(path('out'))).filter((name) => name.endsWith('.bin')).sort();
    assert.deepEqual(files, ['group1-shard1of2.bin', 'group1-shard2of2.bin']);
    const bytes = await Promise.all(files.map((name) => readFile(path('out', name))));
    assert.equal(bytes[0].length, 4 * 1024 * 1024);
    const { start, end } = stateLayout(modelLayout(training)).spans.generator.parameters;
    const parameters = bytesOf(state.subarray(start, end));
    assert.ok(Buffer.concat(bytes).subarray(0, parameters.length).equals(parameters));
    const { generator } = stateLayout(modelLayout(training)).spans;
    const read = await stateRead(path('out'), training);
    assert.deepEqual(read.subarray(generator.parameters.start, end), state.subarray(start, end));
  });

  it('is written to a new or empty folder, by whatever link, and to no other', async () => {
    await save(SMALL_TRAINING);
    await write('tfjs', path('new/inside'));
    await mkdir(path('empty'));
    await symlink(path('empty'), path('link'));
    await write('tfjs', path('link'));
    assert.ok((await readdir(path('empty'))).includes('model.json'));
    await writeFile(path('file'), '');
    for (const [out, why] of [
      ['empty', 'is not empty'],
      ['file', 'is a file'],
    ])
      await assert.rejects(
        write('pytorch', path(out)),
        new UserError(`${path(out)} ${why}: give --out a new folder`),
      );
    assert.ok(!(await readdir(folder)).some((name) => name.endsWith('.tmp')));
  });

  it('leaves nothing where it does not come to its end', async () => {
    await save(SMALL_TRAINING);
    await truncate(run.checkpointFile(FACTS.step), 50_000);
    await assert.rejects(
      write('tfjs'),
      /step-000012\.safetensors is damaged .*: no checkpoint before it is whole/,
    );
    const halfway = makeFolderAtomically(path('out'), '--out', async (temporary) => {
      await writeFile(join(temporary, 'model.json'), '{}');
      throw new Error('the disk is full');
    });
    await assert.rejects(halfway, new Error('the disk is full'));
    assert.deepEqual(await readdir(folder), ['run']);
  });

  it('does not touch what another has put there meanwhile', async () => {
    const late = makeFolderAtomically(path('out'), '--out', async (temporary) => {
      await writeFile(join(temporary, 'model.json'), '{}');
      await mkdir(path('out'));
      await writeFile(path('out/other'), '');
    });
    await assert.rejects(late, new UserError(`${path('out')} is not empty: give --out a new folder`));
    assert.deepEqual(await readdir(path('out')), ['other']);
    assert.deepEqual((await readdir(folder)).sort(), ['out', 'run']);
  });
});
