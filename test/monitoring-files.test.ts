import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { parse } from 'yaml';
import { ALERTS, runbook } from '../deploy/monitoring/source/alerts.js';
import { monitoringFiles } from '../deploy/monitoring/source/files.js';
import { METRICS } from '../src/monitoring/metrics/definitions.js';
import { BOARDS, queriesOf, readDashboard } from './support/monitoring/dashboard.js';
import { MONITORING, readText } from './support/monitoring/folder.js';

describe('the files of deploy/monitoring', () => {
  it('are those that their source makes', () => {
    for (const [name, text] of monitoringFiles())
      assert.equal(readText('deploy/monitoring', name), text, `${name} is stale: npm run monitoring`);
  });

  it('are all that is there, but for what is written by hand', async () => {
    const byHand = new Set([
      'coordinators.yml',
      'kubernetes/kustomization.yaml',
      'README.md',
      'tests/alerts.yml',
    ]);
    const found = (await readdir(MONITORING, { recursive: true, withFileTypes: true }))
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => join(parentPath, name).slice(MONITORING.length + 1))
      .filter((name) => !/^(source|grafana)\//.test(name) && !byHand.has(name));
    assert.deepEqual(found.sort(), [...monitoringFiles().keys()].sort());
  });

  it('name no metric that there is none of', () => {
    const known = new Set(
      Object.entries(METRICS).flatMap(([name, { type }]) =>
        type === 'histogram' ? [name, `${name}_sum`, `${name}_count`, `${name}_bucket`] : [name],
      ),
    );
    for (const [file, text] of monitoringFiles())
      // What is recorded has colons around its part of a name.
      for (const [name] of text.matchAll(/(?<![\w:])dcgan_\w+(?![\w:])/g))
        assert.ok(known.has(name), `${file}: ${name}`);
  });

  it('show every metric on a dashboard', () => {
    const asked = BOARDS.flatMap((board) => queriesOf(readDashboard(board)))
      .map(({ expr }) => expr)
      .concat([...monitoringFiles()].filter(([name]) => name === 'recording.yml').map(([, text]) => text))
      .join('\n');
    for (const name of Object.keys(METRICS))
      assert.match(asked, new RegExp(`\\b${name}(_sum|_count|_bucket)?\\b`));
  });

  it('show only metrics that docs/monitoring.md explains', () => {
    const page = readText('docs/monitoring.md');
    for (const name of Object.keys(METRICS)) assert.match(page, new RegExp(`\\b${name}\\b`));
  });

  it('give each alert its part of docs/alerts.md, and no other', () => {
    const text = readText('docs/alerts.md');
    const headings = [...text.matchAll(/^## (.+)$/gm)].map(([, heading]) => heading);
    assert.deepEqual(
      headings,
      ALERTS.map(({ name }) => name),
    );
    for (const alert of ALERTS) assert.equal(runbook(alert), `docs/alerts.md#${alert.name.toLowerCase()}`);
    const parts = text.split(/^## .+$/m).slice(1);
    for (const [index, part] of parts.entries())
      for (const word of ['**Means**', '**Look at**', '**Do**'])
        assert.ok(part.includes(word), `${headings[index]} lacks ${word}`);
  });

  it('say the same to the operator as to Prometheus', () => {
    const groups = (name: string): unknown =>
      (parse(readText('deploy/monitoring', name)) as { groups: unknown[] }).groups;
    const rule = parse(readText('deploy/monitoring/kubernetes/prometheusrule.yaml')) as {
      spec: { groups: unknown[] };
    };
    assert.deepEqual(rule.spec.groups, [groups('recording.yml'), groups('alerts.yml')].flat());
  });
});

for (const name of BOARDS)
  describe(`the dashboard of ${name === 'run' ? 'a run' : 'all runs'}`, () => {
    const board = readDashboard(name);

    it('has panels within 24 columns, none over another, and no gaps in between', () => {
      const taken = new Map<string, string>();
      for (const { title, gridPos } of board.panels) {
        const { x, y, w, h } = gridPos;
        assert.ok(x >= 0 && w >= 1 && x + w <= 24 && h >= 1, title);
        for (let column = x; column < x + w; column++)
          for (let row = y; row < y + h; row++) {
            const place = `${column}, ${row}`;
            assert.equal(taken.get(place), undefined, `${title} at ${place}`);
            taken.set(place, title);
          }
      }
      const height = Math.max(...board.panels.map(({ gridPos }) => gridPos.y + gridPos.h));
      assert.equal(taken.size, 24 * height);
    });

    it('says of each panel what it shows, in which unit, from the Prometheus that was chosen', () => {
      const ids = new Set(board.panels.map(({ id }) => id));
      assert.equal(ids.size, board.panels.length);
      for (const panel of board.panels.filter(({ type }) => type !== 'row')) {
        assert.ok((panel.description ?? '').length > 10, `${panel.title} has no description`);
        assert.ok(panel.fieldConfig?.defaults.unit, `${panel.title} has no unit`);
        assert.equal(panel.datasource?.uid, '${datasource}', panel.title);
        const targets = panel.targets ?? [];
        assert.ok(targets.length > 0, panel.title);
        assert.equal(new Set(targets.map(({ refId }) => refId)).size, targets.length, panel.title);
        for (const { expr, legendFormat, datasource } of targets) {
          assert.ok(expr !== '' && legendFormat !== '', panel.title);
          assert.equal(datasource?.uid, '${datasource}', panel.title);
        }
      }
    });

    it('uses no variable that it has not', () => {
      const known = new Set([...board.templating.list.map((variable) => variable.name), '__rate_interval']);
      const asked = [
        ...queriesOf(board).map(({ expr }) => expr),
        ...board.templating.list.map(({ query }) => query),
      ];
      for (const expr of asked)
        for (const [, variable] of expr.matchAll(/\$\{?(\w+)/g)) assert.ok(known.has(variable), expr);
    });

    it('leads to the other', () => {
      const others = BOARDS.filter((each) => each !== name).map((each) => `/d/${readDashboard(each).uid}`);
      assert.deepEqual(
        board.links.map(({ url }) => url),
        others,
      );
    });
  });
