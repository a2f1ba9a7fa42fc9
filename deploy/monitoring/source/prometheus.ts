import { ALERTS, expression, runbook } from './alerts.js';
import { RECORDED } from './recording.js';
import { JOB, SCRAPE_INTERVAL } from './targets.js';

export const RULE_FILES = ['recording.yml', 'alerts.yml'] as const;

/** prometheus.yml: coordinators by address, listed in a file beside it that Prometheus reads anew when it changes. */
export const prometheusConfig = {
  global: { scrape_interval: SCRAPE_INTERVAL, evaluation_interval: SCRAPE_INTERVAL },
  rule_files: RULE_FILES,
  scrape_configs: [
    {
      job_name: JOB,
      authorization: { type: 'Bearer', credentials_file: 'http.token' },
      file_sd_configs: [{ files: ['coordinators.yml'] }],
    },
  ],
};

export const recordingGroup = {
  name: 'dcgan.recording',
  rules: Object.entries(RECORDED).map(([record, expr]) => ({ record, expr })),
};

export const alertGroup = {
  name: 'dcgan.alerts',
  rules: ALERTS.map((alert) => ({
    alert: alert.name,
    expr: expression(alert),
    for: alert.for,
    labels: { severity: alert.severity },
    annotations: { summary: alert.summary, runbook: runbook(alert) },
  })),
};
