import { alertGroup, recordingGroup } from './prometheus.js';
import { JOB, SCRAPE_INTERVAL } from './targets.js';

const NAME = 'app.kubernetes.io/name';
const labels = { [NAME]: JOB };

/** For the Prometheus operator: scrapes the coordinator of every run in its namespace. Workers serve no metrics. */
export const podMonitor = {
  apiVersion: 'monitoring.coreos.com/v1',
  kind: 'PodMonitor',
  metadata: { name: JOB, labels },
  spec: {
    // The job is called by the pod's name label, as the alerts want it.
    jobLabel: NAME,
    selector: { matchLabels: { ...labels, 'app.kubernetes.io/component': 'coordinator' } },
    podMetricsEndpoints: [
      {
        port: 'metrics',
        path: '/metrics',
        interval: SCRAPE_INTERVAL,
        authorization: { type: 'Bearer', credentials: { name: 'dcgan-coordinator', key: 'http.token' } },
      },
    ],
  },
};

export const prometheusRule = {
  apiVersion: 'monitoring.coreos.com/v1',
  kind: 'PrometheusRule',
  metadata: { name: JOB, labels },
  spec: { groups: [recordingGroup, alertGroup] },
};
