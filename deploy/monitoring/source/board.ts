import type { Builder } from '@grafana/grafana-foundation-sdk/cog';
import * as dashboard from '@grafana/grafana-foundation-sdk/dashboard';
import { DATA_SOURCE, COLUMNS } from './panels.js';

export interface Section {
  readonly title: string;
  readonly panels: readonly Builder<dashboard.Panel>[];
}

export interface BoardParts {
  readonly uid: string;
  readonly title: string;
  readonly description: string;
  readonly variables: readonly Builder<dashboard.VariableModel>[];
  readonly annotations?: readonly Builder<dashboard.AnnotationQuery>[];
  readonly links: readonly Builder<dashboard.DashboardLink>[];
  readonly sections: readonly Section[];
}

// Every Grafana loads this schema from a file; its successor, which the library prefers, is for the newest alone.
/* eslint-disable @typescript-eslint/no-deprecated */
/** A dashboard: sections one below the other, their panels from left to right and from top to bottom. */
export function board(parts: BoardParts): dashboard.Dashboard {
  const builder = new dashboard.DashboardBuilder(parts.title)
    .uid(parts.uid)
    .description(parts.description)
    .tags(['dcgan-trainer'])
    .timezone('browser')
    .time({ from: 'now-1h', to: 'now' })
    .refresh('15s')
    .tooltip(dashboard.DashboardCursorSync.Crosshair)
    .variables([dataSource(), ...parts.variables])
    .annotations([...(parts.annotations ?? [])])
    .links([...parts.links]);
  const built = builder.build();
  built.panels = layOut(parts.sections);
  return built;
}
/* eslint-enable @typescript-eslint/no-deprecated */

function layOut(sections: readonly Section[]): (dashboard.Panel | dashboard.RowPanel)[] {
  const panels: (dashboard.Panel | dashboard.RowPanel)[] = [];
  let top = 0;
  for (const { title, panels: builders } of sections) {
    const row = new dashboard.RowBuilder(title).gridPos({ x: 0, y: top++, w: COLUMNS, h: 1 }).build();
    panels.push({ ...row, id: panels.length + 1 });
    let left = 0;
    let height = 0;
    for (const panel of builders.map((builder) => builder.build())) {
      const { w, h } = panel.gridPos ?? dashboard.defaultGridPos();
      if (left + w > COLUMNS) {
        top += height;
        left = height = 0;
      }
      panels.push({ ...panel, id: panels.length + 1, gridPos: { x: left, y: top, w, h } });
      left += w;
      height = Math.max(height, h);
    }
    top += height;
  }
  return panels;
}

function dataSource(): Builder<dashboard.VariableModel> {
  return new dashboard.DatasourceVariableBuilder('datasource').label('Prometheus').type('prometheus');
}

/** Values that a label has in some series, among which the reader chooses. */
export function labelVariable(name: string, label: string, of: string): dashboard.QueryVariableBuilder {
  return new dashboard.QueryVariableBuilder(name)
    .label(label)
    .datasource(DATA_SOURCE)
    .query(`label_values(${of}, ${name})`)
    .refresh(dashboard.VariableRefresh.OnTimeRangeChanged)
    .sort(dashboard.VariableSort.NaturalAsc);
}

/** To another dashboard, at the same time. */
export function linkTo(uid: string, title: string): dashboard.DashboardLinkBuilder {
  return new dashboard.DashboardLinkBuilder(title)
    .type(dashboard.DashboardLinkType.Link)
    .url(`/d/${uid}`)
    .keepTime(true);
}
