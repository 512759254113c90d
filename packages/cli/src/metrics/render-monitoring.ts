import { dump } from 'js-yaml';
import { METRICS, type Alert, type Metric } from './metric-table.ts';

/** Renders alert rules for Prometheus as YAML. */
export function renderAlerts(): string {
  const rules = METRICS.flatMap(({ name, help, alert }) =>
    alert === undefined
      ? []
      : [
          {
            alert: alert.name,
            expr: conditionOf(name, alert),
            for: alert.for,
            labels: { severity: alert.severity },
            annotations: {
              summary: `${help} {{ $labels.target }}{{ with $labels.schema }}, schema {{ . }}{{ end }}: {{ $value }}`,
              description: alert.action,
            },
          },
        ],
  );
  return dump({ groups: [{ name: 'cdc-migrations', rules }] }, { lineWidth: 120 });
}

function conditionOf(name: string, { above, below }: Alert): string {
  return above === undefined ? `${name} < ${below}` : `${name} > ${above}`;
}

const PANEL_WIDTH = 12;
const PANEL_HEIGHT = 8;
const PANELS_A_ROW = 24 / PANEL_WIDTH;
const DATASOURCE = { type: 'prometheus', uid: '${datasource}' };

/** Renders a Grafana dashboard with a panel for each metric as JSON. */
export function renderDashboard(): string {
  const dashboard = {
    uid: 'cdc-migrations',
    title: 'CDC migrations',
    tags: ['cdc'],
    schemaVersion: 39,
    editable: true,
    refresh: '1m',
    time: { from: 'now-6h', to: 'now' },
    templating: {
      list: [
        { name: 'datasource', type: 'datasource', query: 'prometheus', label: 'Data source' },
        variable('target', 'label_values(cdc_up, target)'),
        variable('schema', 'label_values(cdc_dead_letters{target=~"$target"}, schema)'),
      ],
    },
    panels: METRICS.map(renderPanel),
  };
  return `${JSON.stringify(dashboard, null, 2)}\n`;
}

function variable(name: string, query: string): object {
  return {
    name,
    type: 'query',
    label: name,
    datasource: DATASOURCE,
    query,
    refresh: 2,
    multi: true,
    includeAll: true,
    allValue: '.*',
    current: { text: 'All', value: '$__all' },
  };
}

function renderPanel(metric: Metric, index: number): object {
  const { name, help, unit, alert } = metric;
  const limit = alert?.above ?? alert?.below;
  const [low, high] = alert?.below === undefined ? ['green', 'red'] : ['red', 'green'];
  return {
    id: index + 1,
    type: 'timeseries',
    title: name,
    description: help,
    datasource: DATASOURCE,
    gridPos: {
      x: (index % PANELS_A_ROW) * PANEL_WIDTH,
      y: Math.floor(index / PANELS_A_ROW) * PANEL_HEIGHT,
      w: PANEL_WIDTH,
      h: PANEL_HEIGHT,
    },
    fieldConfig: {
      defaults: {
        unit,
        ...(limit !== undefined && {
          custom: { thresholdsStyle: { mode: 'line' } },
          thresholds: {
            mode: 'absolute',
            steps: [
              { color: low, value: null },
              { color: high, value: limit },
            ],
          },
        }),
      },
      overrides: [],
    },
    targets: [{ refId: 'A', expr: queryOf(metric), legendFormat: legendOf(metric) }],
  };
}

/** Builds the query of a panel, which is the same for series of tables and of schemas. */
function queryOf(metric: Metric): string {
  const { name, scope } = metric;
  const ofSchema = '{target=~"$target", schema=~"$schema"}';
  if (scope === 'counter')
    return `sum by (target, ${metric.label}) (rate(${name}_total${ofSchema}[5m]))`;
  const series = name + (scope === 'target' ? '{target=~"$target"}' : ofSchema);
  const value = metric.unit === 'dateTimeAsIso' ? `1000 * ${series}` : series;
  if (scope === 'target') return value;
  if (scope === 'schema') return `topk(20, ${value} > 0)`;
  const combined = metric.unit === 's' || metric.unit === 'dateTimeAsIso' ? 'max' : 'sum';
  return `topk(20, ${combined} by (target, schema) (${value}))`;
}

function legendOf(metric: Metric): string {
  const ofSchema = metric.scope === 'table' || metric.scope === 'schema' ? ' {{schema}}' : '';
  const label = 'label' in metric && metric.label ? ` {{${metric.label}}}` : '';
  return `{{target}}${ofSchema}${label}`;
}
