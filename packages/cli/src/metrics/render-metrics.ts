import type { TableHealth } from '@cdc-migrations/tracker';
import { Counter, Gauge, Registry, type OpenMetricsContentType } from 'prom-client';
import { METRICS, type Metric, type TargetHealth } from './metric-table.ts';

/** Level of detail: a series for each schema, or for each table. */
export type Detail = 'schema' | 'table';

/** A text for a monitoring system and its media type. */
export interface MetricsText {
  readonly contentType: string;
  readonly text: string;
}

type Labels = Readonly<Record<string, string>>;
interface Series {
  readonly labels: Labels;
  readonly value: number;
}

/**
 * Renders the metrics of targets as OpenMetrics 1.0 text.
 *
 * @see https://prometheus.io/docs/specs/om/open_metrics_spec/
 */
export async function renderMetrics(
  targets: readonly TargetHealth[],
  by: Detail,
): Promise<MetricsText> {
  const registry = new Registry<OpenMetricsContentType>();
  registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
  for (const metric of METRICS) {
    const labelNames = metric.scope === 'target' ? ['target'] : ['target', 'schema'];
    if ((metric.scope === 'table' || metric.scope === 'counter') && by === 'table')
      labelNames.push('table');
    if ('label' in metric && metric.label !== undefined) labelNames.push(metric.label);
    const options = { name: metric.name, help: metric.help, labelNames, registers: [registry] };
    const series = targets.flatMap((health) => seriesOf(metric, health, by));
    if (metric.scope === 'counter') {
      const counter = new Counter(options);
      for (const { labels, value } of series) counter.inc(labels, value);
    } else {
      const gauge = new Gauge(options);
      for (const { labels, value } of series) gauge.set(labels, value);
    }
  }
  return { contentType: registry.contentType, text: await registry.metrics() };
}

function seriesOf(metric: Metric, health: TargetHealth, by: Detail): readonly Series[] {
  const { target, tables } = health;
  if (metric.scope === 'target') return labelled(metric.read(health), { target }, metric.label);
  if (metric.scope === 'schema') {
    return [...metric.read(health)].flatMap(([schema, values]) =>
      labelled(values, { target, schema }, metric.label),
    );
  }
  return groupTables(tables, by).flatMap((group) => {
    const labels = { target, ...group.labels };
    if (metric.scope === 'counter')
      return labelled(metric.read(group.tables), labels, metric.label);
    const value = metric.read(group.tables);
    return value === undefined ? [] : [{ labels, value }];
  });
}

function labelled(
  values: Readonly<Record<string, number>>,
  labels: Labels,
  label: string | undefined,
): readonly Series[] {
  return Object.entries(values).map(([name, value]) => ({
    labels: label === undefined ? labels : { ...labels, [label]: name },
    value,
  }));
}

interface TableGroup {
  readonly labels: Labels;
  readonly tables: readonly TableHealth[];
}

function groupTables(tables: readonly TableHealth[], by: Detail): readonly TableGroup[] {
  if (by === 'table') {
    return tables.map((one) => ({
      labels: { schema: one.schema, table: one.table },
      tables: [one],
    }));
  }
  const groups = new Map<string, TableHealth[]>();
  for (const one of tables) groups.set(one.schema, [...(groups.get(one.schema) ?? []), one]);
  return [...groups].map(([schema, own]) => ({ labels: { schema }, tables: own }));
}
