import * as dashboard from '@grafana/grafana-foundation-sdk/dashboard';
import { DATA_SOURCE } from './panels.js';
import { increase, Selection } from './series.js';

interface AnnotationParts {
  readonly name: string;
  readonly color: string;
  readonly expr: string;
  /** What stands beside the mark, with {{labels}} in it. */
  readonly text: string;
  /** The value is when it happened, in milliseconds; otherwise it happened where the value is above 0. */
  readonly isTime?: boolean;
}

function annotation({ name, color, expr, text, isTime = false }: AnnotationParts) {
  return new dashboard.AnnotationQueryBuilder()
    .name(name)
    .datasource(DATA_SOURCE)
    .enable(true)
    .iconColor(color)
    .expr(expr)
    .step('15s')
    .titleFormat(name)
    .textFormat(text)
    .useValueForTime(isTime);
}

/** What happened to a run, as marks over all of its graphs. */
export function eventsOf(shown: Selection): dashboard.AnnotationQueryBuilder[] {
  return [
    annotation({
      ...{ name: 'Checkpoint', color: 'blue', isTime: true, text: 'written' },
      expr: `${shown.of('dcgan_checkpoint_timestamp_seconds')} * 1000 > 0`,
    }),
    annotation({
      ...{ name: 'Coordinator', color: 'purple', isTime: true, text: 'started at {{instance}}' },
      expr: `${shown.ofProcess('process_start_time_seconds')} * 1000`,
    }),
    annotation({
      ...{ name: 'Worker lost', color: 'orange', text: '{{reason}}' },
      expr: `max by (reason) (${increase(shown.of('dcgan_worker_losses_total'), '30s')})`,
    }),
    annotation({
      ...{ name: 'Not finite', color: 'red', text: 'a gradient was computed again' },
      expr: `max(${increase(shown.of('dcgan_nonfinite_total'), '30s')})`,
    }),
    annotation({
      ...{ name: 'Alert', color: 'dark-red', text: '{{alertname}} ({{severity}})' },
      expr: `max by (alertname, severity) (${shown.other('ALERTS', 'alertstate="firing"', 'alertname=~"Dcgan.+"')})`,
    }),
  ];
}
