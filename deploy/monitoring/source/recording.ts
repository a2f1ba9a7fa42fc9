import { JOB_LABELS } from './targets.js';
import { mean, Selection, rate } from './series.js';

const all = new Selection();
const seconds = 'dcgan_step_seconds';

/** A worker's computing time for one of its shards: some have more shards than others. */
const shardSeconds = `avg_over_time(${all.of('dcgan_worker_step_seconds')}[5m]) / ${all.of('dcgan_worker_shards')}`;
const stepsLeft = `${all.of('dcgan_planned_steps')} - ${all.of('dcgan_step')}`;
const written = all.of('dcgan_checkpoint_timestamp_seconds');
const started = all.ofProcess('process_start_time_seconds');

/** What is computed at each evaluation and kept, for alerts and for dashboards over long times. */
export const RECORDED = {
  'instance:dcgan_steps:rate5m': rate(all.countOf(seconds), '5m'),
  'instance:dcgan_images:rate5m': rate(all.of('dcgan_images_total'), '5m'),
  'instance:dcgan_step_seconds:mean5m': mean(all.sumOf(seconds), all.countOf(seconds), '5m'),
  'instance_phase:dcgan_phase_seconds:mean5m': mean(
    all.sumOf('dcgan_phase_seconds'),
    all.countOf('dcgan_phase_seconds'),
    '5m',
  ),
  'instance:dcgan_averaging_seconds:share5m': mean(
    all.sumOf('dcgan_averaging_seconds'),
    all.sumOf(seconds),
    '5m',
  ),
  'instance_direction:dcgan_wire_bytes:rate5m': rate(all.of('dcgan_wire_bytes_total'), '5m'),
  'instance:dcgan_worker_shard_seconds:max_to_median5m': `max without (worker) (${shardSeconds}) / quantile without (worker) (0.5, ${shardSeconds})`,
  /** Since it was written, or since the coordinator started from it: what would be lost with it. */
  'instance:dcgan_checkpoint_age:seconds': `time() - (${written} > ${started} or (${started} and ${written}))`,
  // By the run, which may go on at another address: when it was scraped last, and how long it will take.
  'run:dcgan_seen:timestamp_seconds': `max by (${JOB_LABELS}, run) (timestamp(${all.of('dcgan_run_info')}))`,
  'run:dcgan_remaining:seconds': `max by (${JOB_LABELS}, run) ((${stepsLeft}) / instance:dcgan_steps:rate5m * on (job, instance) group_left (run) ${all.of('dcgan_run_info')})`,
} as const satisfies Readonly<Record<string, string>>;

export type RecordedName = keyof typeof RECORDED;

/** A recorded series, where it is used. */
export function recorded(name: RecordedName, selection = all): string {
  return selection.other(name);
}
