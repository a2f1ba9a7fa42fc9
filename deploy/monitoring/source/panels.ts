import * as common from '@grafana/grafana-foundation-sdk/common';
import * as dashboard from '@grafana/grafana-foundation-sdk/dashboard';
import * as prometheus from '@grafana/grafana-foundation-sdk/prometheus';
import * as stat from '@grafana/grafana-foundation-sdk/stat';
import * as timeseries from '@grafana/grafana-foundation-sdk/timeseries';

/** The variable of every dashboard that says which Prometheus is asked. */
export const DATA_SOURCE = { type: 'prometheus', uid: '${datasource}' };

/** The grid of a dashboard. */
export const COLUMNS = 24;
const GRAPH_HEIGHT = 8;
const STAT_HEIGHT = 4;

export interface Query {
  readonly expr: string;
  /** A name, with {{labels}} in it. */
  readonly legend: string;
}

export interface PanelParts {
  readonly title: string;
  /** What a reader has to know to judge it. */
  readonly description: string;
  /** A unit of Grafana's: short, s, Bps, percentunit, ... */
  readonly unit: string;
  /** Columns. */
  readonly width: number;
  readonly queries: readonly Query[];
  readonly min?: number;
  readonly max?: number;
}

export interface GraphParts extends PanelParts {
  /** Parts of a whole, one above the other. */
  readonly stacked?: boolean;
  readonly logarithmic?: boolean;
}

/** Values over time, with a legend that says what they are now. */
export function graph(parts: GraphParts): timeseries.PanelBuilder {
  const panel = described(new timeseries.PanelBuilder(), parts)
    .height(GRAPH_HEIGHT)
    .lineWidth(1)
    .fillOpacity(parts.stacked ? 40 : 0)
    .showPoints(common.VisibilityMode.Never)
    .legend(
      new common.VizLegendOptionsBuilder()
        .displayMode(common.LegendDisplayMode.Table)
        .placement(common.LegendPlacement.Bottom)
        .showLegend(true)
        .calcs(['lastNotNull', 'max']),
    )
    .tooltip(
      new common.VizTooltipOptionsBuilder()
        .mode(common.TooltipDisplayMode.Multi)
        .sort(common.SortOrder.Descending),
    )
    .targets(parts.queries.map((query, index) => target(query, index).range()));
  if (parts.stacked) panel.stacking(new common.StackingConfigBuilder().mode(common.StackingMode.Normal));
  if (parts.logarithmic)
    panel.scaleDistribution(
      new common.ScaleDistributionConfigBuilder().type(common.ScaleDistribution.Log).log(10),
    );
  return panel;
}

export interface StatParts extends PanelParts {
  /** From which value on it is yellow or red; where red comes first, small values are the bad ones. */
  readonly colors?: readonly (readonly [from: number | null, color: 'green' | 'yellow' | 'red'])[];
  /** Shows the series' name, its labels, instead of its value. */
  readonly named?: boolean;
}

/** What is now, in large letters. */
export function figure(parts: StatParts): stat.PanelBuilder {
  const { colors = [[null, 'green']], named = false } = parts;
  return described(new stat.PanelBuilder(), parts)
    .height(STAT_HEIGHT)
    .graphMode(common.BigValueGraphMode.None)
    .colorMode(common.BigValueColorMode.Value)
    .textMode(named ? common.BigValueTextMode.Name : common.BigValueTextMode.Value)
    .thresholds(
      new dashboard.ThresholdsConfigBuilder()
        .mode(dashboard.ThresholdsMode.Absolute)
        .steps(colors.map(([value, color]) => ({ value, color }))),
    )
    .reduceOptions(new common.ReduceDataOptionsBuilder().calcs(['lastNotNull']))
    .targets(parts.queries.map((query, index) => target(query, index).instant()));
}

/** A query as the letters A, B, C, ... name it. */
export function target({ expr, legend }: Query, index: number): prometheus.DataqueryBuilder {
  return new prometheus.DataqueryBuilder()
    .datasource(DATA_SOURCE)
    .refId(String.fromCharCode('A'.charCodeAt(0) + index))
    .expr(expr)
    .legendFormat(legend);
}

interface Describable {
  title(title: string): this;
  description(description: string): this;
  unit(unit: string): this;
  span(columns: number): this;
  min(least: number): this;
  max(most: number): this;
  datasource(source: common.DataSourceRef): this;
}

export function described<Panel extends Describable>(
  panel: Panel,
  { title, description, unit, width, min, max }: Omit<PanelParts, 'queries'>,
): Panel {
  panel.title(title).description(description).unit(unit).span(width).datasource(DATA_SOURCE);
  if (min !== undefined) panel.min(min);
  if (max !== undefined) panel.max(max);
  return panel;
}
