import { REJECTION_REASONS } from '../../wire/rejection.js';
import { NETWORKS, PHASES, UPDATES, WIRE_DIRECTIONS, WORKER_LOSS_REASONS, WORKER_STATES } from './labels.js';

/** Definition of a metric. Labels have their known values; none: any value. */
export interface MetricDefinition {
  readonly type: 'gauge' | 'counter' | 'histogram';
  readonly help: string;
  readonly labels: Readonly<Record<string, readonly string[]>>;
}

const NO_LABELS = {} as const;
const ANY: readonly string[] = [];

/** Every metric of our own. Dashboards, alerts and recording rules are made from these names. */
export const METRICS = {
  dcgan_run_info: {
    type: 'gauge',
    help: 'What the run is, in labels; always 1.',
    labels: {
      ...{ run: ANY, architecture: ANY, image_size: ANY, batch_size: ANY },
      ...{ shards: ANY, engine: ANY, version: ANY },
    },
  },
  dcgan_generator_loss: gauge('Generator loss of the last step.'),
  dcgan_discriminator_loss: gauge('Discriminator loss of the last step.'),
  dcgan_real_score: gauge('D(x): mean score of real images in the last step.'),
  dcgan_fake_score: {
    type: 'gauge',
    help: "D(G(z)): mean score of generated images, before and after the discriminator's update.",
    labels: { update: UPDATES },
  },
  dcgan_gradient_norm: {
    type: 'gauge',
    help: "L2 norm of the averaged gradient in the last step; with local steps, mean norm of the shards' own.",
    labels: { network: NETWORKS },
  },
  dcgan_sample_diversity: gauge(
    'How much the faces of the last sample grid differ, as a share of how much real ones do; none before step 1.',
  ),
  dcgan_nonfinite_total: counter('Losses and gradients that were NaN or infinite.'),
  dcgan_step: gauge('Last step that was completed.'),
  dcgan_planned_steps: gauge('Step that the run ends with; 0 while that is not known yet.'),
  dcgan_epoch: gauge('Epoch of the last step, counted from 1.'),
  dcgan_images_total: counter('Real images trained on.'),
  dcgan_step_seconds: histogram('Wall time of a step.'),
  dcgan_averaging_seconds: histogram('Of a step, what was not computing on the slowest worker.'),
  dcgan_phase_seconds: {
    type: 'histogram',
    help: 'Wall time of one phase of a step; with local steps, of a step.',
    labels: { phase: PHASES },
  },
  dcgan_wire_bytes_total: {
    type: 'counter',
    help: 'Bytes sent and received by the coordinator, and by workers to each other; also through shared memory.',
    labels: { direction: WIRE_DIRECTIONS },
  },
  dcgan_wire_rejected_total: {
    type: 'counter',
    help: 'Messages that were refused, by reason.',
    labels: { reason: REJECTION_REASONS },
  },
  dcgan_workers: { type: 'gauge', help: 'Workers by state.', labels: { state: WORKER_STATES } },
  dcgan_worker_step_seconds: {
    type: 'gauge',
    help: 'Computing time of the last step on each worker.',
    labels: { worker: ANY },
  },
  dcgan_worker_shards: {
    type: 'gauge',
    help: 'Shards of the batch that each worker computes.',
    labels: { worker: ANY },
  },
  dcgan_worker_losses_total: {
    type: 'counter',
    help: 'Workers that were lost, by reason.',
    labels: { reason: WORKER_LOSS_REASONS },
  },
  dcgan_checkpoint_step: gauge('Step of the last checkpoint; 0 before the first.'),
  dcgan_checkpoint_timestamp_seconds: gauge('Unix time of the last checkpoint; 0 before the first.'),
  dcgan_evaluation_face_ratio: gauge(
    'Share of samples in which a face is found, when samples were last evaluated; none before.',
  ),
  dcgan_evaluation_frechet_distance: gauge(
    'Fréchet distance of face descriptors of samples from those of real faces, last evaluated; none before.',
  ),
  dcgan_evaluation_step: gauge('Step whose samples were evaluated last; 0 before the first.'),
  dcgan_disk_free_bytes: gauge('Bytes that the run may still write to the disk of its directory.'),
} as const satisfies Readonly<Record<string, MetricDefinition>>;

export type MetricName = keyof typeof METRICS;
export type MetricOfType<Type extends MetricDefinition['type']> = {
  [Name in MetricName]: (typeof METRICS)[Name]['type'] extends Type ? Name : never;
}[MetricName];
export type LabelOf<Name extends MetricName> = keyof (typeof METRICS)[Name]['labels'] & string;

/** Process metrics that dashboards and alerts use. */
export const PROCESS_METRICS = [
  'process_start_time_seconds',
  'process_cpu_seconds_total',
  'process_resident_memory_bytes',
  'nodejs_eventloop_lag_p99_seconds',
] as const;
export type ProcessMetricName = (typeof PROCESS_METRICS)[number];

function gauge(help: string) {
  return { type: 'gauge', help, labels: NO_LABELS } as const;
}

function counter(help: string) {
  return { type: 'counter', help, labels: NO_LABELS } as const;
}

function histogram(help: string) {
  return { type: 'histogram', help, labels: NO_LABELS } as const;
}
