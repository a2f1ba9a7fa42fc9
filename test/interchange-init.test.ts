import assert from 'node:assert/strict';
import { copyFile, mkdir, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { UserError } from '../src/common/errors.js';
import { Beginning } from '../src/coordinator/run-origin.js';
import { readInitial } from '../src/formats/read-initial.js';
import { weightsConfig, type ExportFormat } from '../src/formats/weights-config.js';
import { writePyTorch } from '../src/formats/write-pytorch.js';
import { writeTfjs } from '../src/formats/write-tfjs.js';
import { modelLayout } from '../src/model/layout.js';
import { initialState, stateLayout } from '../src/model/state.js';
import type { TrainingOptions } from '../src/model/training-options.js';
import { SMALL_TRAINING } from './support/small-model.js';

type Entries = Record<string, { dtype: string; shape: number[]; data_offsets: number[] }>;

interface Manifest {
  weightsManifest: {
    paths: string[];
    weights: { name: string; shape: number[]; dtype: string; quantization?: unknown }[];
  }[];
}

describe('weights that a run is to begin with', () => {
  let folder: string;
  let exported: string;
  before(async () => {
    exported = await mkdtemp(join(tmpdir(), 'dcgan-test-'));
    await writeExport(exported);
  });
  after(() => rm(exported, { recursive: true }));
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'dcgan-test-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  const path = (name: string): string => join(folder, name);

  /** Both formats side by side: generator.safetensors and the page's. */
  async function writeExport(into: string): Promise<void> {
    const layout = modelLayout(SMALL_TRAINING);
    const state = initialState(layout, 3);
    const slots = new Map(stateLayout(layout).slots.map((slot) => [slot.name, slot]));
    const weights = (format: ExportFormat) => ({
      ...{ layout, config: weightsConfig(format, SMALL_TRAINING, { step: 5, epoch: 1 }) },
      read: (name: string): Promise<Float32Array> => {
        const { offset, size } = slots.get(name) ?? assert.fail(name);
        return Promise.resolve(state.slice(offset, offset + size));
      },
    });
    await writePyTorch(into, weights('pytorch'));
    await writeTfjs(into, weights('tfjs'));
  }

  /** generator.safetensors with another header. */
  async function pyTorch(change: (entries: Entries) => unknown): Promise<string> {
    const bytes = await readFile(join(exported, 'generator.safetensors'));
    const start = 8 + Number(bytes.readBigUInt64LE());
    const entries = JSON.parse(bytes.toString('utf8', 8, start)) as Entries;
    const json = Buffer.from(JSON.stringify(change(entries) ?? entries));
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(json.length));
    await writeFile(path('generator.safetensors'), Buffer.concat([length, json, bytes.subarray(start)]));
    return path('generator.safetensors');
  }

  /** The page's generator with another model.json. */
  async function tfjs(change: (model: Manifest) => unknown): Promise<string> {
    const model = JSON.parse(await readFile(join(exported, 'model.json'), 'utf8')) as Manifest;
    await writeFile(path('model.json'), JSON.stringify(change(model) ?? model));
    await copyFile(join(exported, 'group1-shard1of1.bin'), path('group1-shard1of1.bin'));
    return path('model.json');
  }

  async function refused(
    from: string,
    line: RegExp,
    training: TrainingOptions = SMALL_TRAINING,
  ): Promise<void> {
    await assert.rejects(readInitial(from, training), (error) => {
      assert.ok(error instanceof UserError, String(error));
      assert.match(error.message, line);
      assert.ok(error.message.startsWith(from) || error.message.includes(folder), error.message);
      return true;
    });
  }

  it('are those that the other program wrote, with or without what has no meaning here', async () => {
    const whole = await readInitial(join(exported, 'generator.safetensors'), SMALL_TRAINING);
    assert.deepEqual(whole.facts.networks, ['generator']);
    // Renamed as DataParallel does, which the tutorial uses on several GPUs.
    const parallel = await pyTorch((entries) =>
      Object.fromEntries(
        Object.entries(entries).map(([name, entry]) => [
          name === '__metadata__' ? name : `module.${name}`,
          entry,
        ]),
      ),
    );
    assert.equal((await readInitial(parallel, SMALL_TRAINING)).facts.sha256, whole.facts.sha256);
    const page = await tfjs(() => undefined);
    assert.equal((await readInitial(page, SMALL_TRAINING)).facts.sha256, whole.facts.sha256);
  });

  it("of PyTorch's are refused by name where they do not fit", async () => {
    await refused(
      await pyTorch((entries) => {
        Object.assign(entries, { 'main.3.wait': entries['main.3.weight'] });
        delete entries['main.3.weight'];
      }),
      /generator\.safetensors lacks main\.3\.weight$/,
    );
    await refused(
      await pyTorch((entries) => {
        Object.assign(entries, { 'main.3.extra': { dtype: 'F32', shape: [0], data_offsets: [0, 0] } });
      }),
      /generator\.safetensors has tensors that the run's network has not: main\.3\.extra$/,
    );
    await refused(
      await pyTorch((entries) => {
        entries['main.0.weight'].shape = [16, 8, 4, 4];
      }),
      /: main\.0\.weight is \[16, 8, 4, 4\], and the run's is \[8, 16, 4, 4\]$/,
    );
    await refused(
      await pyTorch((entries) => {
        Object.assign(entries['main.1.bias'], { dtype: 'I32' });
      }),
      /: main\.1\.bias is of type I32: save it as 32-bit floats$/,
    );
    await refused(
      await pyTorch((entries) => {
        entries['main.1.bias'].dtype = 'I64';
      }),
      /is damaged \(main\.1\.bias has 64 bytes, not 128\)$/,
    );
    const wild = await pyTorch(() => undefined);
    const bytes = await readFile(wild);
    bytes.writeFloatLE(NaN, bytes.length - 8);
    await writeFile(wild, bytes);
    await refused(wild, /: main\.9\.weight has a value that is not finite$/);
    await refused(
      path('generator.safetensors'),
      /: main\.0\.weight is \[8, 16, 4, 4\], and the run's is \[8, 32, 4, 4\]$/,
      { ...SMALL_TRAINING, architecture: 'paper' },
    );
  });

  it('are refused where the file is no such file', async () => {
    const file = await pyTorch(() => undefined);
    const whole = await readFile(file);
    for (const [content, line] of [
      [whole.subarray(0, whole.length - 4), /is damaged \(it has \d+ bytes, not \d+\)$/],
      [whole.subarray(0, 100), /is not a safetensors file$/],
      [whole.subarray(0, 5), /is not a safetensors file$/],
      [Buffer.alloc(0), /is not a safetensors file$/],
      [Buffer.from('PK\x03\x04 and more'), /is a file of torch\.save, .* python3 -c '.*torch\.load\(/],
      [Buffer.from([0x80, 0x02, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9]), /is a file of torch\.save/],
    ] as const) {
      await writeFile(file, content);
      await refused(file, line);
    }
    for (const header of ['null', '{"a":1}', '{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}', '{']) {
      await writeHeader(file, header);
      await refused(file, /header cannot be read$/);
    }
    await refused(
      await pyTorch((entries) => {
        Object.assign(entries, { __metadata__: { format: 'dcgan-trainer 1' } });
      }),
      /is a checkpoint of a run: give --init what `coordinator export` makes of it$/,
    );
  });

  async function writeHeader(file: string, json: string): Promise<void> {
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(json.length));
    await writeFile(file, Buffer.concat([length, Buffer.from(json), Buffer.alloc(64)]));
  }

  it("of TensorFlow.js's are refused by name where they do not fit", async () => {
    await refused(
      await tfjs(({ weightsManifest: [{ weights }] }) => {
        weights[1].name = 'dense/bias';
      }),
      /model\.json lacks layer0_norm\/gamma$/,
    );
    await refused(
      await tfjs(({ weightsManifest: [{ weights }] }) => {
        weights[0].shape.reverse();
      }),
      /: layer0\/kernel is \[256, 8\], and the run's is \[8, 256\]$/,
    );
    await refused(
      await tfjs(({ weightsManifest: [{ weights }] }) => {
        weights[2].quantization = { dtype: 'uint8', scale: 1, min: 0 };
      }),
      /: layer0_norm\/beta is of type float32, quantized: save it as 32-bit floats$/,
    );
    for (const paths of [['../secret'], ['/etc/passwd'], ['a/b'], ['..'], [''], [1], 'x'])
      await refused(
        await tfjs(({ weightsManifest: [group] }) => {
          Object.assign(group, { paths });
        }),
        /is not a model of TensorFlow\.js: it has no readable weightsManifest$/,
      );
    for (const model of [null, [], {}, { weightsManifest: [{ paths: [] }] }, { weightsManifest: [null] }])
      await refused(await tfjs(() => ({ model })), /no readable weightsManifest$/);
    await refused(
      await tfjs(({ weightsManifest: [group] }) => {
        group.paths = ['group1-shard2of2.bin'];
      }),
      /there is no \S*group1-shard2of2\.bin, which model\.json names$/,
    );
    const page = await tfjs(() => undefined);
    await truncate(path('group1-shard1of1.bin'), 1000);
    await refused(page, /its weights have 1000 bytes, not \d+$/);
    await writeFile(page, '{');
    await refused(page, /model\.json cannot be read/);
  });

  it('are refused where they come with the options of another network, which are said', async () => {
    await copyFile(await pyTorch(() => undefined), path('discriminator.safetensors'));
    const config = weightsConfig('pytorch', SMALL_TRAINING, { step: 5, epoch: 1 });
    await writeFile(path('config.json'), JSON.stringify(config));
    const other: TrainingOptions = { ...SMALL_TRAINING, imageSize: 64, latentSize: 16 };
    await refused(
      folder,
      /config\.json are of another network than the run's: give --image-size 32 --latent-size 8$/,
      other,
    );
    // Of the generator alone, the discriminator's features say nothing; nor do those of paper and tutorial, where both
    // come to the same channels.
    await rm(path('discriminator.safetensors'));
    const same: TrainingOptions = {
      ...SMALL_TRAINING,
      discriminatorFeatures: 8,
      architecture: 'paper',
      generatorFeatures: 2,
    };
    assert.deepEqual((await readInitial(folder, same)).facts.networks, ['generator']);
  });

  it('are refused where a folder does not say which', async () => {
    await refused(path('nowhere'), /^there is no .*: give --init/);
    await refused(folder, /holds neither generator\.safetensors nor model\.json/);
    await refused(exported, /holds both model\.json and generator\.safetensors/);
    await mkdir(path('run'));
    await writeFile(path('run/options.json'), '{}');
    await refused(
      path('run'),
      /is a run: give --init what `coordinator export` makes of it, or resume it with --resume$/,
    );
  });

  it('are those of the first time, whenever the run begins again', async () => {
    const file = await pyTorch(() => undefined);
    const beginning = new Beginning(file, SMALL_TRAINING);
    const state = await beginning.state();
    assert.equal(state?.digest, beginning.facts?.sha256);
    assert.equal((await new Beginning(file, SMALL_TRAINING, beginning.facts).state())?.digest, state?.digest);
    const bytes = await readFile(file);
    bytes.writeFloatLE(0.5, bytes.length - 8);
    await writeFile(file, bytes);
    await assert.rejects(
      new Beginning(file, SMALL_TRAINING, beginning.facts).state(),
      /generator\.safetensors no longer holds the weights that the run began with: start a new run$/,
    );
    assert.equal(await new Beginning(undefined, SMALL_TRAINING).state(), undefined);
  });
});
