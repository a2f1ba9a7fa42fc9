import { recorded } from './recording.js';
import { increase, Selection } from './series.js';
import { JOB } from './targets.js';

/** A value against a threshold. Apart, so that a test can see that there is a value. */
export interface Condition {
  readonly value: string;
  readonly is: '<' | '>';
  readonly threshold: number;
}

export interface Alert {
  /** Also the heading in docs/alerts.md. */
  readonly name: string;
  /** All at once, of the same series. */
  readonly when: readonly Condition[];
  /** Not where this holds too. */
  readonly unless?: Condition;
  readonly for: string;
  /** critical: the run stands still or is in vain. warning: look today. info: it looks after itself. */
  readonly severity: 'critical' | 'warning' | 'info';
  /** One line. $value is the first condition's. */
  readonly summary: string;
}

const all = new Selection();
const MINUTE = 60;
const GIBIBYTE = 1024 ** 3;

/** The run's name, found by the address that the alert is about. */
const RUN = [
  `{{ with printf "dcgan_run_info{job='%s',instance='%s'}" $labels.job $labels.instance | query }}`,
  `{{ . | first | label "run" }}{{ else }}at {{ $labels.instance }}{{ end }}`,
].join('');

const losses = all.of('dcgan_worker_losses_total');
/** Left over from a step that was begun again, these are no fault. */
const rejected = all.except('dcgan_wire_rejected_total', { reason: 'wrong_generation' });
const diversity = all.of('dcgan_sample_diversity');

/** It ended when it was due: so little was left of it when it was last seen. */
const ENDED_AS_PLANNED: Condition = {
  value: `last_over_time(${recorded('run:dcgan_remaining:seconds')}[1h])`,
  ...{ is: '<', threshold: MINUTE },
};

export const ALERTS: readonly Alert[] = [
  {
    name: 'DcganNoStep',
    when: [{ value: `changes(${all.of('dcgan_step')}[5m])`, is: '<', threshold: 1 }],
    ...{ for: '5m', severity: 'critical' },
    summary: `Run ${RUN} has done no step for 5 minutes and more.`,
  },
  {
    name: 'DcganCoordinatorGone',
    when: [
      {
        value: `time() - last_over_time(${recorded('run:dcgan_seen:timestamp_seconds')}[1h])`,
        is: '>',
        threshold: 3 * MINUTE,
      },
    ],
    unless: ENDED_AS_PLANNED,
    ...{ for: '0s', severity: 'critical' },
    summary:
      'The coordinator of run {{ $labels.run }} was last seen {{ $value | humanizeDuration }} ago, before its end.',
  },
  {
    name: 'DcganTargetDown',
    when: [{ value: all.other('up', `job="${JOB}"`), is: '<', threshold: 1 }],
    ...{ for: '15m', severity: 'warning' },
    summary: 'No metrics come from {{ $labels.instance }}.',
  },
  {
    name: 'DcganDiscriminatorWon',
    when: [
      { value: `avg_over_time(${all.of('dcgan_discriminator_loss')}[5m])`, is: '<', threshold: 0.05 },
      {
        value: `max without (update) (avg_over_time(${all.of('dcgan_fake_score', { update: 'before' })}[5m]))`,
        ...{ is: '<', threshold: 0.05 },
      },
      // Before the first step all of it is 0.
      { value: all.of('dcgan_step'), is: '>', threshold: 0 },
    ],
    ...{ for: '10m', severity: 'critical' },
    summary: `The discriminator of run ${RUN} has won: its loss is {{ $value | printf "%.3f" }} and D(G(z)) near 0.`,
  },
  {
    name: 'DcganModeCollapse',
    when: [
      { value: diversity, is: '<', threshold: 0.2 },
      // An untrained generator draws one grey.
      { value: all.of('dcgan_step'), is: '>', threshold: 500 },
    ],
    ...{ for: '10m', severity: 'critical' },
    summary: `The faces of run ${RUN} are all alike: they differ {{ $value | humanizePercentage }} as much as real ones.`,
  },
  {
    name: 'DcganDiversityFalling',
    when: [{ value: `${diversity} / max_over_time(${diversity}[6h])`, is: '<', threshold: 0.6 }],
    ...{ for: '10m', severity: 'warning' },
    summary: `The faces of run ${RUN} differ only {{ $value | humanizePercentage }} as much as they did before.`,
  },
  {
    name: 'DcganNotFinite',
    when: [{ value: increase(all.of('dcgan_nonfinite_total'), '10m'), is: '>', threshold: 0 }],
    ...{ for: '0s', severity: 'warning' },
    summary: `Gradients of run ${RUN} that were not finite in 10 minutes: {{ $value }}.`,
  },
  {
    name: 'DcganWorkerLost',
    when: [{ value: `sum without (reason) (${increase(losses, '10m')})`, is: '>', threshold: 0 }],
    ...{ for: '0s', severity: 'info' },
    summary: `Workers that run ${RUN} lost in 10 minutes: {{ $value }}.`,
  },
  {
    name: 'DcganWorkersMissing',
    when: [
      { value: `max without (state) (${all.of('dcgan_workers', { state: 'lost' })})`, is: '>', threshold: 0 },
    ],
    ...{ for: '5m', severity: 'warning' },
    summary: `Run ${RUN} has lacked {{ $value }} of its workers for 5 minutes.`,
  },
  {
    name: 'DcganWorkerFlapping',
    when: [{ value: `sum without (reason) (${increase(losses, '30m')})`, is: '>', threshold: 2 }],
    ...{ for: '0s', severity: 'warning' },
    summary: `Workers that run ${RUN} lost in 30 minutes: {{ $value }}.`,
  },
  {
    name: 'DcganStraggler',
    when: [
      { value: recorded('instance:dcgan_worker_shard_seconds:max_to_median5m'), is: '>', threshold: 1.3 },
    ],
    ...{ for: '10m', severity: 'warning' },
    summary: `The slowest worker of run ${RUN} takes {{ $value | humanize }} times as long as the others.`,
  },
  {
    name: 'DcganAveragingSlow',
    when: [{ value: recorded('instance:dcgan_averaging_seconds:share5m'), is: '>', threshold: 0.333 }],
    ...{ for: '10m', severity: 'warning' },
    summary: `Averaging takes {{ $value | humanizePercentage }} of a step of run ${RUN}.`,
  },
  {
    name: 'DcganMessagesRejected',
    when: [{ value: increase(rejected, '10m'), is: '>', threshold: 10 }],
    ...{ for: '0s', severity: 'warning' },
    summary: `Run ${RUN} has rejected {{ $value }} messages in 10 minutes: {{ $labels.reason }}.`,
  },
  {
    name: 'DcganCheckpointOld',
    when: [{ value: recorded('instance:dcgan_checkpoint_age:seconds'), is: '>', threshold: 60 * MINUTE }],
    ...{ for: '0s', severity: 'warning' },
    summary: `The last checkpoint of run ${RUN} is {{ $value | humanizeDuration }} old.`,
  },
  {
    name: 'DcganDiskLow',
    when: [{ value: all.of('dcgan_disk_free_bytes'), is: '<', threshold: 2 * GIBIBYTE }],
    ...{ for: '5m', severity: 'critical' },
    summary: `The disk of run ${RUN} has {{ $value | humanize1024 }}B left.`,
  },
  {
    name: 'DcganDiskFilling',
    when: [
      {
        value: `predict_linear(${all.of('dcgan_disk_free_bytes')}[1h], ${4 * 60 * MINUTE})`,
        ...{ is: '<', threshold: 0 },
      },
    ],
    ...{ for: '15m', severity: 'warning' },
    summary: `The disk of run ${RUN} will be full within 4 hours, if it goes on as in the last one.`,
  },
];

/** The heading in docs/alerts.md, as a link. */
export function runbook({ name }: Alert): string {
  return `docs/alerts.md#${name.toLowerCase()}`;
}

/** As Prometheus reads it. */
export function expression({ when, unless }: Alert): string {
  const holds = when.map(compare).join('\nand\n');
  return unless ? `${holds}\nunless\n${compare(unless)}` : holds;
}

/** Every value that an alert compares. */
export function valuesOf({ when, unless }: Alert): string[] {
  return [...when, ...(unless ? [unless] : [])].map(({ value }) => value);
}

/** Arithmetic binds tighter than comparison: no value needs parentheses. */
function compare({ value, is, threshold }: Condition): string {
  return `${value} ${is} ${threshold}`;
}
