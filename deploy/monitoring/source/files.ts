import { stringify } from 'yaml';
import { fleetDashboard } from './fleet-dashboard.js';
import { podMonitor, prometheusRule } from './kubernetes.js';
import { alertGroup, prometheusConfig, recordingGroup } from './prometheus.js';
import { runDashboard } from './run-dashboard.js';

const NOTE = '# Made by `npm run monitoring` from deploy/monitoring/source: change it there.\n';

/** What is made, by its path in deploy/monitoring. */
export function monitoringFiles(): ReadonlyMap<string, string> {
  return new Map([
    ['prometheus.yml', yaml(prometheusConfig)],
    ['recording.yml', yaml({ groups: [recordingGroup] })],
    ['alerts.yml', yaml({ groups: [alertGroup] })],
    ['kubernetes/podmonitor.yaml', yaml(podMonitor)],
    ['kubernetes/prometheusrule.yaml', yaml(prometheusRule)],
    ['dashboards/run.json', json(runDashboard)],
    ['dashboards/fleet.json', json(fleetDashboard)],
  ]);
}

function yaml(value: object): string {
  return NOTE + stringify(value, { lineWidth: 0 });
}

function json(value: object): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}
