import assert from 'node:assert/strict';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { parse } from 'yaml';
import { ALERTS } from '../deploy/monitoring/source/alerts.js';
import { MONITORING, readText } from './support/monitoring/folder.js';
import { runTool } from './support/monitoring/tool.js';
import { skipWithout } from './support/optional-tools.js';

const promtool = (...args: readonly string[]): Promise<string> => runTool('promtool', args);

interface RuleTests {
  readonly tests: readonly {
    readonly alert_rule_test?: readonly {
      readonly alertname: string;
      readonly exp_alerts?: readonly unknown[];
    }[];
  }[];
}

describe('the rules of Prometheus, as promtool sees them,', { skip: skipWithout('Prometheus') }, () => {
  it('are in a configuration that it would start with', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'dcgan-trainer-'));
    try {
      await cp(MONITORING, folder, { recursive: true });
      await writeFile(join(folder, 'http.token'), 'a-token-of-a-test\n');
      const said = await promtool('check', 'config', join(folder, 'prometheus.yml'));
      assert.match(said, new RegExp(`alerts\\.yml\\n +SUCCESS: ${ALERTS.length} rules found`));
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('fire when they should, and do not when they should not', async () => {
    assert.match(await promtool('test', 'rules', join(MONITORING, 'tests/alerts.yml')), /SUCCESS/);
  });

  it('have been seen to fire, and not to fire, each of them', () => {
    const { tests } = parse(readText('deploy/monitoring/tests/alerts.yml')) as RuleTests;
    const seen = tests.flatMap((test) => test.alert_rule_test ?? []);
    for (const { name } of ALERTS) {
      const ofAlert = seen.filter(({ alertname }) => alertname === name);
      assert.ok(
        ofAlert.some(({ exp_alerts: fired = [] }) => fired.length > 0),
        `no test sees ${name} fire`,
      );
      assert.ok(
        ofAlert.some(({ exp_alerts: fired = [] }) => fired.length === 0),
        `no test sees ${name} not fire`,
      );
    }
    // A name that no alert has does not fire either.
    const names = new Set(ALERTS.map(({ name }) => name));
    for (const { alertname } of seen) assert.ok(names.has(alertname), alertname);
  });
});
