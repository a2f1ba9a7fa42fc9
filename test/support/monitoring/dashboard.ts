import { readText } from './folder.js';

/** What the tests read of a dashboard's JSON. */
export interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly datasource?: { readonly type: string; readonly uid: string };
  readonly targets?: readonly Target[];
  readonly fieldConfig?: { readonly defaults: { readonly unit?: string } };
}

export interface Target {
  readonly refId: string;
  readonly expr: string;
  readonly legendFormat: string;
  readonly datasource?: { readonly uid: string };
}

export interface Dashboard {
  readonly uid: string;
  readonly title: string;
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { readonly name: string; readonly query: string }[] };
  readonly annotations: { readonly list: readonly { readonly name: string; readonly expr: string }[] };
  readonly links: readonly { readonly url: string }[];
}

export const BOARDS = ['run', 'fleet'] as const;

export function readDashboard(name: (typeof BOARDS)[number]): Dashboard {
  return JSON.parse(readText('deploy/monitoring/dashboards', `${name}.json`)) as Dashboard;
}

/** What a dashboard asks for: by which panel or annotation, and the query. */
export function queriesOf({ title, panels, annotations }: Dashboard): { by: string; expr: string }[] {
  return [
    ...panels.flatMap((panel) =>
      (panel.targets ?? []).map(({ expr, refId }) => ({ by: `${title}: ${panel.title} ${refId}`, expr })),
    ),
    ...annotations.list.map(({ name, expr }) => ({ by: `${title}: annotation ${name}`, expr })),
  ];
}
