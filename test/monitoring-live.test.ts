import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { ALERTS, expression, valuesOf, type Alert } from '../deploy/monitoring/source/alerts.js';
import { RECORDED } from '../deploy/monitoring/source/recording.js';
import { BOARDS, queriesOf, readDashboard } from './support/monitoring/dashboard.js';
import { PrometheusServer, type Series } from './support/monitoring/prometheus.js';
import { skipWithout } from './support/optional-tools.js';
import { workersOf } from './support/trainer/processes.js';
import { Program } from './support/trainer/program.js';
import { SMALL, Workplace } from './support/trainer/workplace.js';

const TOKEN = 'a-token-of-the-monitoring-test';

/** What Grafana puts in the place of variables. */
const VARIABLES: Readonly<Record<string, string>> = { run: 'faces', instance: '.+', __rate_interval: '30s' };

function alertCalled(name: string): Alert {
  const alert = ALERTS.find((each) => each.name === name);
  assert.ok(alert);
  return alert;
}

function filledIn(expr: string): string {
  return expr.replaceAll(/\$\{?(\w+)\}?/g, (_, name: string) => VARIABLES[name]);
}

/** Prometheus also finds what is 0 / 0. */
function isNumber({ value: [, text] }: Series): boolean {
  return Number.isFinite(Number(text));
}

describe('Prometheus, while it scrapes a run of two workers,', { skip: skipWithout('Prometheus') }, () => {
  let workplace: Workplace;
  let coordinator: Program;
  let prometheus: PrometheusServer;
  before(async () => {
    workplace = await Workplace.make();
    const { cwd, env } = workplace.place();
    const args = [
      ...['train', '--data', workplace.images, ...SMALL, '--workers', '2', '--run-dir', 'faces'],
      ...['--steps', '1000000', '--sample-every', '20', '--checkpoint-every', '20', '--http', '127.0.0.1:0'],
      ...['--evaluate-every', '20'],
    ];
    coordinator = Program.start('coordinator', args, { cwd, env: { ...env, DCGAN_HTTP_TOKEN: TOKEN } });
    workplace.add(coordinator);
    const [, target] = await coordinator.line(/^metrics at http:\/\/(\S+)\/metrics$/);
    prometheus = await PrometheusServer.start(workplace, { target, token: TOKEN, interval: '500ms' });
    await prometheus.found('dcgan_step > 40 and dcgan_checkpoint_step > 0 and dcgan_evaluation_step > 0');
  });
  after(() => workplace.remove());

  it('gets in with its token', async () => {
    const targets = await prometheus.targets();
    assert.deepEqual(
      targets.map(({ health, lastError }) => [health, lastError]),
      [['up', '']],
    );
  });

  it('raises an alert that names the run when a worker is killed', async () => {
    process.kill(workersOf(coordinator.pid)[0], 'SIGKILL');
    const [alert] = await prometheus.found('ALERTS{alertname="DcganWorkerLost",alertstate="firing"}');
    assert.equal(alert.metric['job'], 'dcgan-trainer');
    const alerts = await prometheus.alerts();
    const summaries = alerts.filter(({ labels }) => labels['alertname'] === 'DcganWorkerLost');
    assert.deepEqual(
      summaries.map(({ annotations }) => annotations['summary']),
      ['Workers that run faces lost in 10 minutes: 1.'],
    );
    await prometheus.found('dcgan_workers{state="ready"} == 2');
  });

  for (const name of BOARDS)
    it(`finds something for every panel and mark of the dashboard of ${name === 'run' ? 'a run' : 'all runs'}`, async () => {
      const board = readDashboard(name);
      const queries = queriesOf(board);
      assert.ok(queries.length > 10);
      for (const { by, expr } of queries) {
        const found = await prometheus.query(filledIn(expr));
        assert.ok(found.some(isNumber), `nothing for ${by}: ${expr}`);
      }
      for (const { query } of board.templating.list.filter(({ query }) => query !== 'prometheus')) {
        const [, series, label] = /^label_values\((.+), (\w+)\)$/.exec(query) ?? [];
        const found = await prometheus.query(filledIn(series));
        assert.ok(found.length > 0 && found.every(({ metric }) => label in metric), query);
      }
    });

  it('finds a value for every alert to compare', async () => {
    for (const alert of ALERTS)
      for (const value of valuesOf(alert))
        assert.ok((await prometheus.query(value)).some(isNumber), `nothing for ${alert.name}: ${value}`);
  });

  it('records every series, each with a number in it', async () => {
    for (const name of Object.keys(RECORDED)) {
      const series = await prometheus.query(name);
      assert.ok(series.length > 0, name);
      assert.ok(series.every(isNumber), `${name}: ${JSON.stringify(series)}`);
    }
  });

  it('finds that the sums agree with each other', async () => {
    const number = async (expr: string): Promise<number> =>
      Number((await prometheus.query(expr))[0].value[1]);
    assert.equal(await number('dcgan_planned_steps'), 1_000_000);
    assert.equal(await number('sum(dcgan_worker_shards)'), 2);
    assert.equal(await number('dcgan_images_total / dcgan_step_seconds_count'), 16);
    assert.equal(await number('dcgan_averaging_seconds_count - dcgan_step_seconds_count'), 0);
    const share = await number('dcgan_averaging_seconds_sum / dcgan_step_seconds_sum');
    assert.ok(share > 0 && share < 1, `${share}`);
    assert.ok((await number('dcgan_sample_diversity')) > 0);
  });

  it('misses the run when its coordinator is killed, and calls that nothing else', async () => {
    const [gone, noStep] = ['DcganCoordinatorGone', 'DcganNoStep'].map((name) => alertCalled(name));
    const [seen] = gone.when;
    assert.deepEqual(await prometheus.query(expression(gone)), []);
    await coordinator.kill();
    // Nobody waits for three minutes here.
    const soon = expression({ ...gone, when: [{ ...seen, threshold: 3 }] });
    const [{ metric }] = await prometheus.found(soon);
    assert.deepEqual(metric, { job: 'dcgan-trainer', run: 'faces' });
    assert.deepEqual(await prometheus.query('dcgan_step'), []);
    assert.equal((await prometheus.targets())[0].health, 'down');
    assert.deepEqual(await prometheus.query(expression(noStep)), []);
  });
});
