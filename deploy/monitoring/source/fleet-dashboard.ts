import * as common from '@grafana/grafana-foundation-sdk/common';
import * as dashboard from '@grafana/grafana-foundation-sdk/dashboard';
import * as prometheus from '@grafana/grafana-foundation-sdk/prometheus';
import * as statetimeline from '@grafana/grafana-foundation-sdk/statetimeline';
import * as table from '@grafana/grafana-foundation-sdk/table';
import { board, labelVariable, linkTo, type Section } from './board.js';
import { FLEET_UID, RUN_UID } from './dashboards.js';
import { described, figure, graph, target } from './panels.js';
import { recorded } from './recording.js';
import { Selection } from './series.js';

const all = new Selection();
const runs = new Selection(['run=~"$run"']);
const firing = all.other('ALERTS', 'alertstate="firing"', 'alertname=~"Dcgan.+"');

/** A value of each run, under the run's name. */
const byRun = (expr: string): string =>
  `max by (run) ((${expr}) * on (job, instance) group_left (run) ${runs.of('dcgan_run_info')})`;

const now: Section = {
  title: 'Now',
  panels: [
    figure({
      ...{ title: 'Runs', unit: 'short', width: 6 },
      description: 'Whose coordinator answers.',
      queries: [{ expr: `count(${runs.of('dcgan_run_info')}) or vector(0)`, legend: 'runs' }],
    }),
    figure({
      ...{ title: 'Images', unit: 'none', width: 6 },
      description: 'Real images that all runs train on, a second.',
      queries: [{ expr: `sum(${byRun(recorded('instance:dcgan_images:rate5m'))})`, legend: 'images/s' }],
    }),
    figure({
      ...{ title: 'Workers ready', unit: 'short', width: 6 },
      description: 'Of all runs.',
      queries: [{ expr: `sum(${byRun(all.of('dcgan_workers', { state: 'ready' }))})`, legend: 'ready' }],
    }),
    figure({
      ...{
        title: 'Alerts',
        unit: 'short',
        width: 6,
        colors: [
          [null, 'green'],
          [1, 'red'],
        ],
      },
      description: 'That fire now, of all runs. docs/alerts.md says what to do.',
      queries: [{ expr: `count(${firing}) or vector(0)`, legend: 'firing' }],
    }),
  ],
};

interface Column {
  readonly title: string;
  readonly expr: string;
  readonly unit: string;
}

const COLUMNS_OF_RUNS: readonly Column[] = [
  { title: 'Step', unit: 'none', expr: all.of('dcgan_step') },
  { title: 'of', unit: 'none', expr: all.of('dcgan_planned_steps') },
  {
    ...{ title: 'Done', unit: 'percentunit' },
    expr: `${all.of('dcgan_step')} / ${all.of('dcgan_planned_steps')}`,
  },
  { title: 'Images/s', unit: 'none', expr: recorded('instance:dcgan_images:rate5m') },
  { title: 'Ready', unit: 'none', expr: all.of('dcgan_workers', { state: 'ready' }) },
  { title: 'Lost', unit: 'none', expr: all.of('dcgan_workers', { state: 'lost' }) },
  { title: 'Loss G', unit: 'none', expr: all.of('dcgan_generator_loss') },
  { title: 'Loss D', unit: 'none', expr: all.of('dcgan_discriminator_loss') },
  { title: 'Diversity', unit: 'percentunit', expr: all.of('dcgan_sample_diversity') },
  { title: 'Checkpoint', unit: 's', expr: recorded('instance:dcgan_checkpoint_age:seconds') },
  { title: 'Disk free', unit: 'bytes', expr: all.of('dcgan_disk_free_bytes') },
];

function listOfRuns(): table.PanelBuilder {
  const parts = {
    ...{ title: 'Runs', unit: 'none', width: 24 },
    description: 'A line for each run; its name leads to its dashboard.',
  };
  const panel = described(new table.PanelBuilder(), parts).height(8);
  panel.targets(
    COLUMNS_OF_RUNS.map(({ expr, title }, index) =>
      target({ expr: byRun(expr), legend: title }, index)
        .instant()
        .format(prometheus.PromQueryFormat.Table),
    ),
  );
  panel.withTransformation({ id: 'merge', options: {} });
  const name = (index: number): string => `Value #${String.fromCharCode('A'.charCodeAt(0) + index)}`;
  const places: Record<string, number> = { run: 0 };
  const names: Record<string, string> = { run: 'Run' };
  for (const [index, { title }] of COLUMNS_OF_RUNS.entries()) {
    places[name(index)] = index + 1;
    names[name(index)] = title;
  }
  panel.withTransformation({
    id: 'organize',
    options: { excludeByName: { Time: true }, indexByName: places, renameByName: names },
  });
  for (const { title, unit } of COLUMNS_OF_RUNS) panel.overrideByName(title, [{ id: 'unit', value: unit }]);
  panel.overrideByName('Run', [
    {
      id: 'links',
      value: [
        {
          title: 'Show this run',
          url: `/d/${RUN_UID}?var-datasource=\${datasource}&var-run=\${__value.raw}&\${__url_time_range}`,
        },
      ],
    },
  ]);
  return panel;
}

function alertsOverTime(): statetimeline.PanelBuilder {
  const parts = {
    ...{ title: 'Alerts', unit: 'none', width: 24 },
    description: 'When each was firing, and for which coordinator or run. docs/alerts.md says what to do.',
  };
  return described(new statetimeline.PanelBuilder(), parts)
    .height(8)
    .showValue(common.VisibilityMode.Never)
    .mappings([
      {
        type: dashboard.MappingType.ValueToText,
        options: { '1': { text: 'firing', color: 'red', index: 0 } },
      },
    ])
    .legend(new common.VizLegendOptionsBuilder().showLegend(false))
    .targets([
      target(
        {
          expr: `max by (alertname, instance, run) (${firing})`,
          legend: '{{alertname}} {{run}}{{instance}}',
        },
        0,
      ).range(),
    ]);
}

const ofEach = { legend: '{{run}}' };

const compared: Section = {
  title: 'Compared',
  panels: [
    graph({
      ...{ title: 'Images', unit: 'none', width: 12, min: 0 },
      description: 'Real images trained on, a second.',
      queries: [{ expr: byRun(recorded('instance:dcgan_images:rate5m')), ...ofEach }],
    }),
    graph({
      ...{ title: 'Done', unit: 'percentunit', width: 12, min: 0, max: 1 },
      description: 'Of the steps that are planned.',
      queries: [{ expr: byRun(`${all.of('dcgan_step')} / ${all.of('dcgan_planned_steps')}`), ...ofEach }],
    }),
    graph({
      ...{ title: 'Generator loss', unit: 'none', width: 8, min: 0 },
      description: 'Of the last step.',
      queries: [{ expr: byRun(all.of('dcgan_generator_loss')), ...ofEach }],
    }),
    graph({
      ...{ title: 'Discriminator loss', unit: 'none', width: 8, min: 0 },
      description: 'Of the last step. Near 0 it has won.',
      queries: [{ expr: byRun(all.of('dcgan_discriminator_loss')), ...ofEach }],
    }),
    graph({
      ...{ title: 'Diversity of the samples', unit: 'percentunit', width: 8, min: 0 },
      description: 'How much generated faces differ, as a share of how much real ones do.',
      queries: [{ expr: byRun(all.of('dcgan_sample_diversity')), ...ofEach }],
    }),
    graph({
      ...{ title: 'Time of a step', unit: 's', width: 8, min: 0 },
      description: 'Mean of five minutes.',
      queries: [{ expr: byRun(recorded('instance:dcgan_step_seconds:mean5m')), ...ofEach }],
    }),
    graph({
      ...{ title: 'Averaging', unit: 'percentunit', width: 8, min: 0, max: 1 },
      description: 'Of a step, what is not computing.',
      queries: [{ expr: byRun(recorded('instance:dcgan_averaging_seconds:share5m')), ...ofEach }],
    }),
    graph({
      ...{ title: 'Workers missing', unit: 'short', width: 8, min: 0 },
      description: 'Places that nobody has.',
      queries: [{ expr: byRun(all.of('dcgan_workers', { state: 'lost' })), ...ofEach }],
    }),
  ],
};

/** All runs beside each other. */
export const fleetDashboard = board({
  uid: FLEET_UID,
  title: 'DCGAN runs',
  description: 'All runs of dcgan-trainer that this Prometheus scrapes.',
  variables: [labelVariable('run', 'Run', all.of('dcgan_run_info')).multi(true).includeAll(true)],
  links: [linkTo(RUN_UID, 'One run')],
  sections: [now, { title: 'Runs', panels: [listOfRuns(), alertsOverTime()] }, compared],
});
