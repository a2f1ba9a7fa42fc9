import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import sharp from 'sharp';
import { modelLayout } from '../src/model/layout.js';
import { PHASES, phaseLayout } from '../src/model/phase.js';
import { stateLayout } from '../src/model/state.js';
import { SMALL_MODEL } from './support/small-model.js';
import { isAlive, workersOf } from './support/trainer/processes.js';
import type { Program } from './support/trainer/program.js';
import { readStats, readTensors, type Stats } from './support/trainer/run-results.js';
import { SMALL, Workplace } from './support/trainer/workplace.js';
import { parsePrometheusText, type Family } from './support/prometheus-text.js';
import { until } from './support/wire/until.js';

/** Every name that the documentation promises. */
const METRICS = [
  ...['dcgan_generator_loss', 'dcgan_discriminator_loss', 'dcgan_real_score', 'dcgan_fake_score'],
  ...['dcgan_step', 'dcgan_epoch', 'dcgan_images_total', 'dcgan_step_seconds', 'dcgan_phase_seconds'],
  ...['dcgan_wire_bytes_total', 'dcgan_wire_rejected_total', 'dcgan_workers', 'dcgan_worker_step_seconds'],
  ...['dcgan_worker_losses_total', 'dcgan_checkpoint_step', 'dcgan_checkpoint_timestamp_seconds'],
  ...['dcgan_gradient_norm', 'dcgan_nonfinite_total', 'dcgan_run_info', 'dcgan_sample_diversity'],
  ...['dcgan_averaging_seconds', 'dcgan_worker_shards', 'dcgan_planned_steps', 'dcgan_disk_free_bytes'],
  ...['process_resident_memory_bytes', 'process_cpu_seconds_total'],
];

const STATE_BYTES = 4 * stateLayout(modelLayout(SMALL_MODEL)).length;
/** Of both phases of a step. */
const VECTOR_BYTES =
  4 * PHASES.reduce((sum, phase) => sum + phaseLayout(phase, modelLayout(SMALL_MODEL)).length, 0);

describe('two workers that train on drawn faces', () => {
  let workplace: Workplace;
  let program: Program;
  let address: string;
  let run: string;
  let workers: number[];
  let metrics: ReadonlyMap<string, Family>;

  const get = async (path: string): Promise<{ status: number; body: string }> => {
    const response = await fetch(new URL(path, address));
    return { status: response.status, body: await response.text() };
  };
  const scrape = async (): Promise<ReadonlyMap<string, Family>> =>
    parsePrometheusText((await get('/metrics')).body);
  const value = (name: string, sample = name): number => metrics.get(name)?.samples.get(sample) ?? NaN;

  before(async () => {
    workplace = await Workplace.make();
    const drawn = await workplace.start(['dataset', 'drawn', '--count', '70']).ended();
    assert.deepEqual([drawn.code, drawn.stdout], [0, '']);
    // Without --run-dir: the run gets a number. More steps than it takes to look, and an end by Ctrl-C.
    program = workplace.start([
      ...['--data', 'drawn', ...SMALL, '--workers', '2', '--http', '127.0.0.1:0', '--steps', '1000000'],
      ...['--sample-every', '5', '--checkpoint-every', '4', '--keep-checkpoints', '2'],
    ]);
    address = (await program.line(/^metrics at (http:\S+)\/metrics$/))[1];
    run = workplace.path((await program.line(/^training in (runs\/\d+):/))[1]);
  });
  after(() => workplace.remove());

  it('have drawn faces that are pictures', async () => {
    const names = await readdir(workplace.path('drawn/drawn'));
    assert.equal(names.length, 70);
    const { format, channels } = await sharp(workplace.path('drawn/drawn', names[0])).metadata();
    assert.deepEqual([format, channels], ['png', 3]);
  });

  it('show while they train every metric that is promised', async () => {
    assert.deepEqual(await get('/healthz'), { status: 200, body: 'ok\n' });
    await until('ready', async () => (await get('/readyz')).status === 200);
    metrics = await until('a checkpoint', async () => {
      const found = await scrape();
      const saved = found.get('dcgan_checkpoint_step')?.samples.get('dcgan_checkpoint_step') ?? 0;
      return saved > 0 ? found : undefined;
    });
    assert.deepEqual(
      METRICS.filter((name) => !metrics.has(name)),
      [],
    );
    workers = workersOf(program.pid);
    assert.equal(workers.length, 2);
    const page = JSON.parse((await get('/api/run')).body) as { options: { batchSize: string } };
    assert.equal(page.options.batchSize, '16');
  });

  it('give metrics the values of their log', async () => {
    const step = value('dcgan_step');
    const { [step - 1]: line } = await readStats(run);
    assert.equal(line['step'], step);
    assert.equal(value('dcgan_generator_loss'), line['generatorLoss']);
    assert.equal(value('dcgan_discriminator_loss'), line['discriminatorLoss']);
    assert.equal(value('dcgan_real_score'), line['realScore']);
    assert.equal(value('dcgan_fake_score', 'dcgan_fake_score{update="before"}'), line['fakeScoreBefore']);
    assert.equal(value('dcgan_fake_score', 'dcgan_fake_score{update="after"}'), line['fakeScoreAfter']);
    assert.equal(value('dcgan_epoch'), line['epoch']);
    assert.equal(value('dcgan_images_total'), 16 * step);
    assert.equal(value('dcgan_step_seconds', 'dcgan_step_seconds_count'), step);
    assert.equal(value('dcgan_workers', 'dcgan_workers{state="ready"}'), 2);
    assert.equal(value('dcgan_checkpoint_step') % 4, 0);
    assert.ok(value('dcgan_gradient_norm', 'dcgan_gradient_norm{network="generator"}') > 0);
    for (const { samples, type } of [metrics.get('dcgan_wire_rejected_total') as Family]) {
      assert.equal(type, 'counter');
      assert.deepEqual(new Set(samples.values()), new Set([0]), 'nothing was rejected');
    }
  });

  it('end on Ctrl-C with nothing on stdout, and nothing is left running', async () => {
    program.signalGroup('SIGINT');
    const { code, stdout, lines } = await program.ended();
    assert.equal(code, 0, lines.join('\n'));
    assert.equal(stdout, '');
    assert.match(
      lines[lines.length - 1],
      /^stopped after step \d+ of 1000000: resume it with --resume runs\/\d+$/,
    );
    await until('the workers to be gone', () => !workers.some(isAlive));
  });

  describe('leave a directory', () => {
    let stats: Stats[];
    before(async () => {
      stats = await readStats(run);
    });

    it('that holds what is documented and nothing half-written', async () => {
      const names = await readdir(run, { recursive: true });
      const documented = [
        'DL.npy',
        'GL.npy',
        'loss.png',
        'losses.csv',
        'options.json',
        'reals.png',
        'stats.jsonl',
      ];
      assert.deepEqual(
        documented.filter((name) => !names.includes(name)),
        [],
      );
      assert.deepEqual(
        names.filter((name) => name.endsWith('.tmp')),
        [],
      );
    });

    it('with a line for each step', () => {
      assert.ok(stats.length >= 4);
      const perEpoch = Math.floor(70 / 16);
      for (const [index, line] of stats.entries()) {
        assert.equal(line['step'], index + 1);
        assert.equal(line['epoch'], Math.floor(index / perEpoch) + 1);
        assert.equal(line['workers'], 2);
        for (const score of ['realScore', 'fakeScoreBefore', 'fakeScoreAfter'])
          assert.ok(line[score] > 0 && line[score] < 1, score);
        for (const name of ['generatorLoss', 'discriminatorLoss', 'imagesPerSecond', 'computeSeconds'])
          assert.ok(line[name] > 0 && Number.isFinite(line[name]), name);
        const seconds = line['computeSeconds'] + line['averagingSeconds'];
        assert.ok(Math.abs(line['imagesPerSecond'] * seconds - 16) < 1e-6);
        // One sends its vectors, the other the means, of which it counts the last with the next step.
        const least = (index === 0 ? 1 : 2) * VECTOR_BYTES;
        const among = line['amongWorkersBytes'];
        assert.ok(among > least && among < 2.1 * VECTOR_BYTES, String(among));
        // The coordinator sees reports, and a checkpoint now and then.
        for (const name of ['sentBytes', 'receivedBytes'])
          assert.ok(line[name] > 0 && line[name] < 0.1 * VECTOR_BYTES + STATE_BYTES, `${name} ${line[name]}`);
      }
    });

    it('with the losses for numpy and for a spreadsheet', async () => {
      for (const [name, field] of [
        ['GL.npy', 'generatorLoss'],
        ['DL.npy', 'discriminatorLoss'],
      ] as const) {
        const file = await readFile(join(run, name));
        const values = file.subarray(10 + file.readUInt16LE(8));
        assert.equal(values.length, 4 * stats.length);
        stats.forEach((line, i) => {
          assert.equal(values.readFloatLE(4 * i), Math.fround(line[field]));
        });
      }
      const rows = (await readFile(join(run, 'losses.csv'), 'utf8')).trim().split('\n');
      assert.equal(rows.length, 1 + stats.length);
    });

    it('with pictures of the right size', async () => {
      const size = async (...names: string[]): Promise<number[]> => {
        const { width, height } = await sharp(join(run, ...names)).metadata();
        return [width, height];
      };
      const grid = 8 * (32 + 2) + 2;
      assert.deepEqual(await size('reals.png'), [grid, grid]);
      const samples = await readdir(join(run, 'samples'));
      assert.ok(samples.includes('step-000000.png') && samples.includes('step-000005.png'));
      for (const name of samples) assert.deepEqual(await size('samples', name), [grid, grid]);
      const [width, height] = await size('loss.png');
      assert.ok(width > 0 && width === 2 * height);
    });

    it('with the two newest checkpoints, the last one of the last step', async () => {
      const names = (await readdir(join(run, 'checkpoints'))).sort();
      assert.equal(names.length, 2);
      const { metadata, tensors } = await readTensors(join(run, 'checkpoints', names[1]));
      assert.equal(metadata['step'], String(stats.length));
      for (const [name, { values }] of tensors) assert.ok(values.every(Number.isFinite), name);
    });

    it('with options that say what the run was', async () => {
      const options = JSON.parse(await readFile(join(run, 'options.json'), 'utf8')) as {
        training: Record<string, unknown>;
        dataset: Record<string, unknown>;
      };
      const { training, dataset } = options;
      assert.deepEqual(
        [training['batchSize'], training['shards'], training['seed'], training['threads']],
        [16, 2, 0, 1],
      );
      assert.equal(dataset['images'], 70);
      assert.match(String(dataset['fingerprint']), /^[0-9a-f]{64}$/);
    });

    it('from which the losses are drawn again', async () => {
      const before = await readFile(join(run, 'GL.npy'));
      const { code, stdout } = await workplace.start(['plot', run]).ended();
      assert.equal(code, 0);
      assert.match(stdout, new RegExp(`^\\S*runs/\\d+/loss\\.png: ${stats.length} steps\n$`));
      assert.deepEqual(await readFile(join(run, 'GL.npy')), before);
      assert.ok(existsSync(join(run, 'loss.png')));
    });
  });
});
