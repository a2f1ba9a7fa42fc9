import { NETWORKS, UPDATES, WIRE_DIRECTIONS } from '../../../src/monitoring/metrics/labels.js';
import { eventsOf } from './annotations.js';
import { ALL, board, labelVariable, linkTo, type Section } from './board.js';
import { FLEET_UID, RUN_UID } from './dashboards.js';
import { figure, graph } from './panels.js';
import { recorded } from './recording.js';
import { mean, increase, Selection, rate } from './series.js';

const W = '$__rate_interval';
const all = new Selection();
/** The coordinators of the run: one at a time, and another one where it goes on elsewhere. */
const shown = new Selection(['instance=~"$instance"']);
const ofRun = new Selection(['run="$run"']);

/** One line, whoever the coordinator was. */
const one = (expr: string): string => `max(${expr})`;
const oneBy = (label: string, expr: string): string => `max by (${label}) (${expr})`;
const quantile = (share: number): string =>
  `histogram_quantile(${share}, sum by (le) (rate(${shown.bucketsOf('dcgan_step_seconds')}[${W}])))`;

const overview: Section = {
  title: 'Overview',
  panels: [
    figure({
      ...{ title: 'Run', unit: 'string', width: 12, named: true },
      description: 'Architecture, pixels a side, images of a step, shards, engine, version of the trainer.',
      queries: [
        {
          expr: oneBy(
            'run, architecture, image_size, batch_size, shards, engine, version',
            shown.of('dcgan_run_info'),
          ),
          legend:
            '{{run}}: {{architecture}} {{image_size}} px, batch {{batch_size}}, {{shards}} shards, {{engine}}, version {{version}}',
        },
      ],
    }),
    figure({
      ...{
        title: 'Alerts',
        unit: 'short',
        width: 4,
        colors: [
          [null, 'green'],
          [1, 'red'],
        ],
      },
      description: 'That fire now. docs/alerts.md says what to do.',
      queries: [
        {
          expr: `count(${shown.other('ALERTS', 'alertstate="firing"', 'alertname=~"Dcgan.+"')} or ${ofRun.other('ALERTS', 'alertstate="firing"', 'alertname=~"Dcgan.+"')}) or vector(0)`,
          legend: 'firing',
        },
      ],
    }),
    figure({
      ...{ title: 'Done', unit: 'percentunit', width: 4, min: 0, max: 1 },
      description: 'Of the steps that are planned.',
      queries: [
        { expr: one(`${shown.of('dcgan_step')} / ${shown.of('dcgan_planned_steps')}`), legend: 'done' },
      ],
    }),
    figure({
      ...{ title: 'Left', unit: 's', width: 4 },
      description: 'Time to the last step, at the rate of the last five minutes.',
      queries: [{ expr: one(ofRun.other('run:dcgan_remaining:seconds')), legend: 'left' }],
    }),
    figure({
      ...{ title: 'Step', unit: 'none', width: 4 },
      description: 'The last one that was completed.',
      queries: [{ expr: one(shown.of('dcgan_step')), legend: 'step' }],
    }),
    figure({
      ...{ title: 'Epoch', unit: 'none', width: 4 },
      description: 'Passes over the images, the one that is under way included.',
      queries: [{ expr: one(shown.of('dcgan_epoch')), legend: 'epoch' }],
    }),
    figure({
      ...{ title: 'Images', unit: 'short', width: 4 },
      description: 'Real ones that it was trained on so far, again and again.',
      queries: [{ expr: one(shown.of('dcgan_images_total')), legend: 'images' }],
    }),
    figure({
      ...{ title: 'Workers ready', unit: 'short', width: 4 },
      description: 'Those that take part. None where one process does it all.',
      queries: [{ expr: one(shown.of('dcgan_workers', { state: 'ready' })), legend: 'ready' }],
    }),
    figure({
      ...{
        title: 'Last checkpoint',
        unit: 's',
        width: 4,
        colors: [
          [null, 'green'],
          [3600, 'red'],
        ],
      },
      description: 'Its age: what would be lost with the coordinator.',
      queries: [{ expr: `min(${recorded('instance:dcgan_checkpoint_age:seconds', shown)})`, legend: 'age' }],
    }),
    figure({
      ...{
        title: 'Disk free',
        unit: 'bytes',
        width: 4,
        colors: [
          [null, 'red'],
          [2 * 1024 ** 3, 'green'],
        ],
      },
      description: "Where the run's directory is.",
      queries: [{ expr: `min(${shown.of('dcgan_disk_free_bytes')})`, legend: 'free' }],
    }),
  ],
};

const networks: Section = {
  title: 'Both networks',
  panels: [
    graph({
      ...{ title: 'Losses', unit: 'none', width: 12, min: 0 },
      description:
        'A run in balance has both of them go up and down. The discriminator near 0 and the generator rising: the discriminator has won.',
      queries: [
        { expr: one(shown.of('dcgan_generator_loss')), legend: 'generator' },
        { expr: one(shown.of('dcgan_discriminator_loss')), legend: 'discriminator' },
      ],
    }),
    graph({
      ...{ title: 'Scores', unit: 'percentunit', width: 12, min: 0, max: 1 },
      description:
        'How sure the discriminator is that images are real ones: of real images D(x), of generated ones D(G(z)) before and after its update.',
      queries: [
        { expr: one(shown.of('dcgan_real_score')), legend: 'D(x)' },
        ...UPDATES.map((update) => ({
          expr: one(shown.of('dcgan_fake_score', { update })),
          legend: `D(G(z)) ${update}`,
        })),
      ],
    }),
    graph({
      ...{ title: 'Diversity of the samples', unit: 'percentunit', width: 8, min: 0 },
      description:
        'How much the faces of the last sample grid differ, as a share of how much real ones do. It rises while faces form. Near 0 all faces are alike: mode collapse.',
      queries: [{ expr: one(shown.of('dcgan_sample_diversity')), legend: 'diversity' }],
    }),
    graph({
      ...{ title: 'Gradients', unit: 'none', width: 8, logarithmic: true },
      description: 'Euclidean norm of the averaged gradient.',
      queries: NETWORKS.map((network) => ({
        expr: one(shown.of('dcgan_gradient_norm', { network })),
        legend: network,
      })),
    }),
    graph({
      ...{ title: 'Gradients that were not finite', unit: 'short', width: 8, min: 0 },
      description: 'Each was computed again; the third in a row ends the run.',
      queries: [{ expr: one(increase(shown.of('dcgan_nonfinite_total'), W)), legend: 'not finite' }],
    }),
    graph({
      ...{ title: 'Samples with a face', unit: 'percentunit', width: 8, min: 0, max: 1 },
      description:
        'Share of samples in which a face detector finds a face, last evaluated (--evaluate-every). Of drawn faces it is 94 %.',
      queries: [{ expr: one(shown.of('dcgan_evaluation_face_ratio')), legend: 'a face is found' }],
    }),
    graph({
      ...{ title: 'Fréchet distance', unit: 'none', width: 8, logarithmic: true },
      description:
        'Of face descriptors of samples from those of real faces, last evaluated (--evaluate-every). It falls as samples become like the data.',
      queries: [{ expr: one(shown.of('dcgan_evaluation_frechet_distance')), legend: 'distance' }],
    }),
    graph({
      ...{ title: 'Steps since the evaluation', unit: 'none', width: 8, min: 0 },
      description: 'How old the two before are.',
      queries: [
        {
          expr: one(`${shown.of('dcgan_step')} - ${shown.of('dcgan_evaluation_step')}`),
          legend: 'steps',
        },
      ],
    }),
  ],
};

const throughput: Section = {
  title: 'Throughput',
  panels: [
    graph({
      ...{ title: 'Images', unit: 'suffix: images/s', width: 12, min: 0 },
      description: 'Real images trained on, a second.',
      queries: [
        { expr: one(rate(shown.of('dcgan_images_total'), W)), legend: 'images/s' },
        { expr: one(recorded('instance:dcgan_images:rate5m', shown)), legend: 'images/s, 5 minutes' },
      ],
    }),
    graph({
      ...{ title: 'Time of a step', unit: 's', width: 12, min: 0 },
      description: 'Mean, and what 1 of 2 and 1 of 100 steps take longer than.',
      queries: [
        { expr: one(recorded('instance:dcgan_step_seconds:mean5m', shown)), legend: 'mean, 5 minutes' },
        { expr: quantile(0.5), legend: 'median' },
        { expr: quantile(0.99), legend: '99 of 100' },
      ],
    }),
    graph({
      ...{ title: 'Phases', unit: 's', width: 12, min: 0, stacked: true },
      description: 'What each phase of a step takes, averaging included.',
      queries: [
        {
          expr: oneBy(
            'phase',
            mean(shown.sumOf('dcgan_phase_seconds'), shown.countOf('dcgan_phase_seconds'), W),
          ),
          legend: '{{phase}}',
        },
      ],
    }),
    graph({
      ...{ title: 'Averaging', unit: 'percentunit', width: 12, min: 0, max: 1 },
      description:
        'Of a step, what is not computing: gradients on their way, sums, recovery from a lost worker.',
      queries: [
        { expr: one(recorded('instance:dcgan_averaging_seconds:share5m', shown)), legend: 'of the step' },
      ],
    }),
  ],
};

const workers: Section = {
  title: 'Workers',
  panels: [
    graph({
      ...{ title: 'Workers', unit: 'short', width: 8, min: 0, stacked: true },
      description: 'Ready: takes part. Joining: its engine loads. Lost: a place that nobody has.',
      queries: [{ expr: oneBy('state', shown.of('dcgan_workers')), legend: '{{state}}' }],
    }),
    graph({
      ...{ title: 'Computing time of each worker', unit: 's', width: 8, min: 0 },
      description: 'Of the last step. Who has more shards takes longer.',
      queries: [
        { expr: oneBy('worker', shown.of('dcgan_worker_step_seconds')), legend: 'worker {{worker}}' },
      ],
    }),
    graph({
      ...{ title: 'Shards of each worker', unit: 'short', width: 8, min: 0, stacked: true },
      description: 'Equal parts of the batch. They move when a worker is lost.',
      queries: [{ expr: oneBy('worker', shown.of('dcgan_worker_shards')), legend: 'worker {{worker}}' }],
    }),
    graph({
      ...{ title: 'Slowest worker', unit: 'none', width: 12, min: 0 },
      description: 'Its computing time for a shard, over that of the median worker. All wait for it.',
      queries: [
        {
          expr: one(recorded('instance:dcgan_worker_shard_seconds:max_to_median5m', shown)),
          legend: 'slowest / median',
        },
      ],
    }),
    graph({
      ...{ title: 'Workers lost', unit: 'short', width: 12, min: 0 },
      description: 'Since the run began, by reason.',
      queries: [{ expr: oneBy('reason', shown.of('dcgan_worker_losses_total')), legend: '{{reason}}' }],
    }),
  ],
};

const wire: Section = {
  title: 'Communication',
  panels: [
    graph({
      ...{ title: 'Bytes', unit: 'Bps', width: 12, min: 0 },
      description: 'By the coordinator: gradients and averages, and images and state when workers come.',
      queries: WIRE_DIRECTIONS.map((direction) => ({
        expr: one(rate(shown.of('dcgan_wire_bytes_total', { direction }), W)),
        legend: direction,
      })),
    }),
    graph({
      ...{ title: 'Messages rejected', unit: 'short', width: 12, min: 0 },
      description: 'By reason; docs/protocol.md says what each means.',
      queries: [
        { expr: oneBy('reason', increase(shown.of('dcgan_wire_rejected_total'), W)), legend: '{{reason}}' },
      ],
    }),
  ],
};

const disk: Section = {
  title: 'Checkpoints and disk',
  panels: [
    graph({
      ...{ title: 'Steps and checkpoints', unit: 'none', width: 8, min: 0 },
      description: 'A run that is begun again goes on from the last checkpoint.',
      queries: [
        { expr: one(shown.of('dcgan_step')), legend: 'step' },
        { expr: one(shown.of('dcgan_checkpoint_step')), legend: 'checkpoint' },
      ],
    }),
    graph({
      ...{ title: 'Age of the last checkpoint', unit: 's', width: 8, min: 0 },
      description: 'Or of the coordinator, where it has written none yet.',
      queries: [{ expr: `min(${recorded('instance:dcgan_checkpoint_age:seconds', shown)})`, legend: 'age' }],
    }),
    graph({
      ...{ title: 'Disk free', unit: 'bytes', width: 8, min: 0 },
      description: "Where the run's directory is, whoever else writes there.",
      queries: [{ expr: `min(${shown.of('dcgan_disk_free_bytes')})`, legend: 'free' }],
    }),
  ],
};

const coordinator: Section = {
  title: 'Coordinator',
  panels: [
    graph({
      ...{ title: 'Memory', unit: 'bytes', width: 8, min: 0 },
      description: 'Of the coordinator; with one process, of the engine too.',
      queries: [{ expr: one(shown.ofProcess('process_resident_memory_bytes')), legend: 'resident' }],
    }),
    graph({
      ...{ title: 'Processor', unit: 'percentunit', width: 8, min: 0 },
      description: 'Cores that the coordinator keeps busy: 100 % is one.',
      queries: [
        { expr: one(`rate(${shown.ofProcess('process_cpu_seconds_total')}[${W}])`), legend: 'cores' },
      ],
    }),
    graph({
      ...{ title: 'Event loop', unit: 's', width: 8, min: 0 },
      description: 'By how much what is due comes too late in 1 of 100 cases. Sums of gradients hold it up.',
      queries: [{ expr: one(shown.ofProcess('nodejs_eventloop_lag_p99_seconds')), legend: '99 of 100' }],
    }),
  ],
};

/** One run, in all that it tells. */
export const runDashboard = board({
  uid: RUN_UID,
  title: 'DCGAN run',
  description: 'One run of dcgan-trainer: how both networks do, how fast, on whom, and what happened to it.',
  variables: [
    labelVariable('run', 'Run', all.of('dcgan_run_info')),
    labelVariable('instance', 'Coordinator', ofRun.of('dcgan_run_info'))
      .multi(true)
      .includeAll(true)
      .current(ALL),
  ],
  annotations: eventsOf(shown),
  links: [linkTo(FLEET_UID, 'All runs')],
  sections: [overview, networks, throughput, workers, wire, disk, coordinator],
});
