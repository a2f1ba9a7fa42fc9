import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { PROCESS_METRICS } from '../src/monitoring/metrics/definitions.js';
import { RunMetrics } from '../src/monitoring/metrics/run-metrics.js';
import { parsePrometheusText, type Family } from './support/prometheus-text.js';
import { loggedEvaluation, stepRecord } from './support/step-record.js';

/** What dashboards and alerts are built on. */
const NAMES: Readonly<Record<string, string>> = {
  dcgan_run_info: 'gauge',
  dcgan_generator_loss: 'gauge',
  dcgan_discriminator_loss: 'gauge',
  dcgan_real_score: 'gauge',
  dcgan_fake_score: 'gauge',
  dcgan_sample_diversity: 'gauge',
  dcgan_step: 'gauge',
  dcgan_planned_steps: 'gauge',
  dcgan_epoch: 'gauge',
  dcgan_images_total: 'counter',
  dcgan_step_seconds: 'histogram',
  dcgan_averaging_seconds: 'histogram',
  dcgan_phase_seconds: 'histogram',
  dcgan_wire_bytes_total: 'counter',
  dcgan_wire_rejected_total: 'counter',
  dcgan_workers: 'gauge',
  dcgan_worker_step_seconds: 'gauge',
  dcgan_worker_shards: 'gauge',
  dcgan_worker_losses_total: 'counter',
  dcgan_checkpoint_step: 'gauge',
  dcgan_checkpoint_timestamp_seconds: 'gauge',
  dcgan_disk_free_bytes: 'gauge',
  dcgan_evaluation_face_ratio: 'gauge',
  dcgan_evaluation_frechet_distance: 'gauge',
  dcgan_evaluation_step: 'gauge',
  dcgan_gradient_norm: 'gauge',
  dcgan_nonfinite_total: 'counter',
};

function newMetrics(): RunMetrics {
  return new RunMetrics({
    batchSize: 128,
    phases: ['discriminator', 'generator'],
    rejectionReasons: ['undecodable'],
  });
}

async function familiesOf(metrics: RunMetrics): Promise<Map<string, Family>> {
  return parsePrometheusText(await metrics.registry.metrics());
}

/** The values of our own samples, buckets aside. */
async function valuesOf(metrics: RunMetrics): Promise<Record<string, number>> {
  const samples = [...(await familiesOf(metrics)).values()].flatMap((family) => [...family.samples]);
  return Object.fromEntries(
    samples.filter(([name]) => name.startsWith('dcgan_') && !name.includes('_bucket')),
  );
}

describe('metrics', () => {
  it('have the names and types of the design, no more and no fewer, with help', async () => {
    const families = [...(await familiesOf(newMetrics()))].filter(([name]) => name.startsWith('dcgan_'));
    assert.deepEqual(Object.fromEntries(families.map(([name, { type }]) => [name, type])), NAMES);
    for (const [name, { help }] of families) assert.ok(help.length > 10, name);
  });

  it('include the usual ones of a process', async () => {
    const families = await familiesOf(newMetrics());
    for (const name of [...PROCESS_METRICS, 'nodejs_eventloop_lag_seconds'])
      assert.ok(families.has(name), name);
  });

  it('start at 0 with every known series', async () => {
    const values = await valuesOf(newMetrics());
    assert.deepEqual([...new Set(Object.values(values))], [0]);
    assert.deepEqual(
      Object.keys(values)
        .filter((name) => name.includes('{'))
        .sort(),
      [
        'dcgan_fake_score{update="after"}',
        'dcgan_fake_score{update="before"}',
        'dcgan_gradient_norm{network="discriminator"}',
        'dcgan_gradient_norm{network="generator"}',
        'dcgan_phase_seconds_count{phase="discriminator"}',
        'dcgan_phase_seconds_count{phase="generator"}',
        'dcgan_phase_seconds_sum{phase="discriminator"}',
        'dcgan_phase_seconds_sum{phase="generator"}',
        'dcgan_wire_bytes_total{direction="among_workers"}',
        'dcgan_wire_bytes_total{direction="received"}',
        'dcgan_wire_bytes_total{direction="sent"}',
        'dcgan_wire_rejected_total{reason="undecodable"}',
        'dcgan_worker_losses_total{reason="exited"}',
        'dcgan_worker_losses_total{reason="garbled"}',
        'dcgan_worker_losses_total{reason="overdue"}',
        'dcgan_worker_losses_total{reason="silent"}',
        'dcgan_workers{state="joining"}',
        'dcgan_workers{state="lost"}',
        'dcgan_workers{state="ready"}',
      ],
    );
  });

  it('say what a step measured', async () => {
    const metrics = newMetrics();
    metrics.recordStep(stepRecord(7), { discriminator: 0.75, generator: 0.5 });
    metrics.recordStep(stepRecord(8), { discriminator: 0.75, generator: 0.25 });
    const values = await valuesOf(metrics);
    const expected = {
      dcgan_step: 8,
      dcgan_epoch: 1,
      dcgan_generator_loss: 4,
      dcgan_discriminator_loss: 2,
      dcgan_real_score: 0.8125,
      'dcgan_fake_score{update="before"}': 0.25,
      'dcgan_fake_score{update="after"}': 0.125,
      dcgan_images_total: 256,
      dcgan_step_seconds_count: 2,
      dcgan_step_seconds_sum: 3.5,
      dcgan_averaging_seconds_count: 2,
      dcgan_averaging_seconds_sum: 1,
      'dcgan_phase_seconds_sum{phase="discriminator"}': 1.5,
      'dcgan_phase_seconds_sum{phase="generator"}': 0.75,
    };
    assert.deepEqual(Object.fromEntries(Object.keys(expected).map((name) => [name, values[name]])), expected);
  });

  it('say what the run is, and how much space its disk has', async () => {
    const metrics = newMetrics();
    const folder = await mkdtemp(join(tmpdir(), 'dcgan-trainer-'));
    try {
      const training = { architecture: 'paper', imageSize: 64, batchSize: 128, shards: 4 } as const;
      metrics.describe({ folder, training, engine: undefined });
      metrics.describe({ folder, training, engine: 'native 4.22.0 (TensorFlow 2.21.0)' });
      const values = await valuesOf(metrics);
      const info = Object.entries(values).filter(([name]) => name.startsWith('dcgan_run_info'));
      assert.deepEqual(info, [
        [
          `dcgan_run_info{run="${basename(folder)}",architecture="paper",image_size="64",batch_size="128",` +
            'shards="4",engine="native 4.22.0 (TensorFlow 2.21.0)",version="0.1.0"}',
          1,
        ],
      ]);
      // df's own figure; others write to this disk meanwhile.
      const { stdout } = await promisify(execFile)('df', ['--block-size=1', '--output=avail', folder]);
      const difference = Math.abs(values['dcgan_disk_free_bytes'] - Number(stdout.split('\n')[1]));
      assert.ok(difference < 1e9, `${difference} bytes`);
    } finally {
      await rm(folder, { recursive: true });
    }
    // A disk that is gone has no free space that could be told.
    assert.ok(!('dcgan_disk_free_bytes' in (await valuesOf(metrics))));
  });

  it('go back to a step with the run, but for what counts', async () => {
    const metrics = newMetrics();
    for (const step of [7, 8, 9])
      metrics.recordStep(stepRecord(step), { discriminator: 0.75, generator: 0.5 });
    metrics.rewind(stepRecord(7));
    const back = await valuesOf(metrics);
    assert.deepEqual([back['dcgan_step'], back['dcgan_generator_loss']], [7, 3.5]);
    assert.deepEqual([back['dcgan_images_total'], back['dcgan_step_seconds_count']], [384, 3]);
    metrics.rewind(undefined);
    const beginning = await valuesOf(metrics);
    assert.deepEqual(
      [beginning['dcgan_step'], beginning['dcgan_epoch'], beginning['dcgan_real_score']],
      [0, 0, 0],
    );
  });

  it('say how workers, wire, checkpoints and gradients are', async () => {
    const metrics = newMetrics();
    metrics.setWorkers({ joining: 3 });
    metrics.setWorkers({ ready: 2, lost: 1 });
    metrics.recordWorkerPhase('0', 'discriminator', { seconds: 2, shards: 3 });
    metrics.recordWorkerPhase('0', 'generator', { seconds: 0.5, shards: 3 });
    // The next step: of each phase the last one counts.
    metrics.recordWorkerPhase('0', 'discriminator', { seconds: 1, shards: 3 });
    metrics.recordWorkerPhase('1', 'discriminator', { seconds: 2.5, shards: 1 });
    metrics.forgetWorker('1');
    metrics.countWorkerLoss('silent');
    metrics.countRejected('undecodable');
    metrics.countRejected('too-large');
    metrics.countWireBytes('sent', 1000);
    metrics.countWireBytes('sent', 24);
    metrics.countWireBytes('received', 5);
    metrics.setCheckpoint(500, new Date('2024-01-01T00:00:00.500Z'));
    metrics.setGradientNorm('generator', 3.25);
    metrics.setSampleDiversity(0.75);
    metrics.plan(9000);
    metrics.setEvaluation(loggedEvaluation(400));
    metrics.countNonFinite();
    metrics.countNonFinite(2);
    const before = await valuesOf(newMetrics());
    const after = await valuesOf(metrics);
    const changed = Object.entries(after).filter(([name, value]) => value !== before[name]);
    assert.deepEqual(Object.fromEntries(changed), {
      'dcgan_workers{state="ready"}': 2,
      'dcgan_workers{state="lost"}': 1,
      'dcgan_worker_step_seconds{worker="0"}': 1.5,
      'dcgan_worker_shards{worker="0"}': 3,
      'dcgan_worker_losses_total{reason="silent"}': 1,
      'dcgan_wire_rejected_total{reason="undecodable"}': 1,
      'dcgan_wire_rejected_total{reason="too-large"}': 1,
      'dcgan_wire_bytes_total{direction="sent"}': 1024,
      'dcgan_wire_bytes_total{direction="received"}': 5,
      dcgan_checkpoint_step: 500,
      dcgan_checkpoint_timestamp_seconds: 1_704_067_200.5,
      'dcgan_gradient_norm{network="generator"}': 3.25,
      dcgan_sample_diversity: 0.75,
      dcgan_planned_steps: 9000,
      dcgan_evaluation_step: 400,
      dcgan_evaluation_face_ratio: 0.625,
      dcgan_evaluation_frechet_distance: 0.0625,
      dcgan_nonfinite_total: 3,
    });
  });

  it('keep no process alive', async () => {
    const module = new URL('../src/monitoring/metrics/run-metrics.js', import.meta.url).href;
    const script = `
      const { RunMetrics } = await import(${JSON.stringify(module)});
      await new RunMetrics({ batchSize: 1 }).registry.metrics();
      console.log('end');`;
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], {
      timeout: 30_000,
    });
    assert.equal(stdout, 'end\n');
  });
});
