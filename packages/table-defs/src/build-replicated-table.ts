import type { CatalogColumn } from '@cdc-migrations/catalog';
import type { ServiceConfig } from '@cdc-migrations/config';
import { SCHEMA_PLACEHOLDER, shortName } from '@cdc-migrations/sql-text';
import { asciiName, columnNamer } from './ascii-name.ts';
import { buildColumns } from './build-columns.ts';
import { overrideScope } from './check-type-overrides.ts';
import { withBackfill } from './backfill-columns.ts';
import { chooseKey } from './choose-key.ts';
import { checkCustomer, withCustomer } from './choose-key.ts';
import {
  eventLoss,
  formOf,
  resolveEvents,
  UNAVAILABLE,
  type EventSettings,
} from './event-forms.ts';
import type { TableMapping } from './find-source.ts';
import { buildDeclaredIndexes } from './declared-indexes.ts';
import { buildPartitioning, checkUniqueIndexes } from './declared-partitions.ts';
import { buildObjectNames } from './object-names.ts';
import { problemAt, type ProblemList } from './problems.ts';
import { checkWidth } from './check-width.ts';
import { checkKeyTypes, keyTypeProblem } from './check-key-types.ts';
import { checkName, checkNames, refusePlaceholder } from './check-column-names.ts';
import { checkMappedColumns, selectColumns } from './select-columns.ts';
import type { ColumnDefinition, KeyDefinition, ReplicatedTable } from './table-definition.ts';
import { buildIdentity } from './build-identity.ts';
import { formatSourceType, mapType } from './types/map-type.ts';

/** Builds the definition of a table that we create and that CDC writes. */
export function buildReplicatedTable(
  mapping: TableMapping,
  config: ServiceConfig,
  problems: ProblemList,
): ReplicatedTable {
  const { catalog, source, selection, table } = mapping;
  checkNames(mapping, problems);
  checkCustomer(mapping, problems);
  const selected = selectColumns(source, selection, problems);
  const scope = overrideScope(mapping, config);
  const problemOf = (column: CatalogColumn): string | undefined => {
    const mapped = mapType(catalog.type, column, scope);
    const type = formatSourceType(column);
    return mapped && keyTypeProblem({ ...mapped, source: { name: column.name, type } }, selection);
  };
  const columnNames = columnNamesOf(mapping, config);
  checkMappedColumns(mapping, selected, problems);
  for (const name of table.columns.values()) checkName(name, table.at, problems);
  const named = columnNamer(columnNames);
  const nameOf = (name: string): string => {
    const target = table.columns.get(name);
    return target === undefined ? named(name) : shortName(target);
  };
  if (columnNames === 'ascii') {
    checkAscii(
      selected.filter(({ name }) => !table.columns.has(name)),
      mapping,
      problems,
    );
  }
  const sourceKey = chooseKey({ table: source, columns: selected, selection, problemOf, problems });
  const columns = buildColumns(
    {
      type: catalog.type,
      columns: selected,
      key: sourceKey?.columns ?? [],
      selection,
      sink: table,
      templates: config.templates,
      scope,
      nameOf,
    },
    problems,
  );
  const events = eventsOf(mapping, config);
  const formed = events ? withForms(columns, selected, mapping, events, problems) : columns;
  const key = sourceKey && withCustomer(sourceKey, mapping, config.templates, nameOf);
  if (key) checkKeyTypes(key, columns, mapping, problems);
  const positions = positionsOf(mapping, config);
  if (positions === 'lsn') checkLsn(mapping, key, events, problems);
  const identity = buildIdentity(mapping);
  checkDefaults(columns, identity, mapping, problems);
  const filled = withBackfill(formed, key, mapping, problems);
  const indexes = buildDeclaredIndexes(table, filled, identity.schema.scope === 'tenant', problems);
  const partitionBy = buildPartitioning(table, { columns: filled, key }, problems);
  if (partitionBy) checkUniqueIndexes(table, partitionBy, problems);
  const definition: ReplicatedTable = {
    kind: 'replicated',
    ...identity,
    names: buildObjectNames(shortName(table.table)),
    columns: key ? filled.map((column) => asKeyColumn(column, key)) : filled,
    key,
    deleteMode: table.deleteMode,
    ...(indexes.length > 0 && { indexes }),
    ...(partitionBy && { partitionBy }),
    staging: table.staging ?? (positions === 'lsn' ? 'logged' : 'unlogged'),
    ...(events && events.unavailable !== UNAVAILABLE && { unavailable: events.unavailable }),
    ...(isEmptied(mapping, config) && { truncate: 'empty' as const }),
    ...(positions === 'lsn' && { positions }),
    transforms: table.transforms.map(({ bloblangRef }) => bloblangRef),
  };
  checkWidth(definition, mapping, problems);
  return definition;
}

/** Returns the setting of the table, else of its sink group. */
function columnNamesOf({ sink, table }: TableMapping, { sinkGroups }: ServiceConfig) {
  const group = sinkGroups.find(({ name }) => sink.sink.startsWith(`${name}.`));
  return table.pipeline?.columnNames ?? group?.pipeline?.columnNames;
}

/** Reports columns without an ASCII name. */
function checkAscii(
  columns: readonly CatalogColumn[],
  { table }: TableMapping,
  problems: ProblemList,
): void {
  for (const { name } of columns) {
    if (/^[\0-\x7f]*$/.test(asciiName(name))) continue;
    const message =
      `column "${name}" of ${table.schema}.${table.table} has letters that column_names: ascii cannot convert; ` +
      'set column_names: source in pipeline of this table, or put the column into ignore_columns';
    problems.errors.push(problemAt(table.at, [], message));
  }
}

/** Checks defaults for the schema placeholder, which is allowed only in tables of tenants. */
function checkDefaults(
  columns: readonly ColumnDefinition[],
  { schema }: Pick<ReplicatedTable, 'schema'>,
  { table }: TableMapping,
  problems: ProblemList,
): void {
  for (const { default: expression = '' } of columns) {
    const isTenant = schema.scope === 'tenant';
    const rest = isTenant ? expression.replaceAll(SCHEMA_PLACEHOLDER, '') : expression;
    refusePlaceholder(rest, table.at, problems);
  }
}

function eventsOf(
  { sink, table }: TableMapping,
  { sinkGroups }: ServiceConfig,
): EventSettings | undefined {
  const group = sinkGroups.find(({ name }) => sink.sink.startsWith(`${name}.`));
  return resolveEvents(group?.pipeline, table.pipeline);
}

/** Adds the forms of event values to columns. Warns about information that events lose. */
function withForms(
  columns: readonly ColumnDefinition[],
  selected: readonly CatalogColumn[],
  { catalog, table }: TableMapping,
  events: EventSettings,
  problems: ProblemList,
): readonly ColumnDefinition[] {
  return columns.map((column) => {
    const source = selected.find(({ name }) => name === column.source?.name);
    if (!source || column.exactness === 'unsupported') return column;
    const form = formOf(source, catalog.type, column.type, events);
    const loss = eventLoss(source, catalog.type, form, events);
    if (loss !== undefined) {
      const message = `column "${source.name}" of type ${column.source!.type}: ${loss}`;
      problems.warnings.push(problemAt(table.at, [], message));
    }
    return form ? { ...column, form } : column;
  });
}

/** Checks if a TRUNCATE of the source empties the table. The setting of the table precedes that of its sink group. */
function isEmptied({ sink, table }: TableMapping, { sinkGroups }: ServiceConfig): boolean {
  const group = sinkGroups.find(({ name }) => sink.sink.startsWith(`${name}.`));
  return (table.pipeline?.truncate ?? group?.pipeline?.truncate) === 'empty';
}

function positionsOf({ sink, table }: TableMapping, { sinkGroups }: ServiceConfig) {
  const group = sinkGroups.find(({ name }) => sink.sink.startsWith(`${name}.`));
  return table.pipeline?.positions ?? group?.pipeline?.positions;
}

/**
 * Reports missing requirements of positions by LSN, such as logged staging: staged events are not sent again after a
 * crash.
 */
function checkLsn(
  { catalog, table }: TableMapping,
  key: KeyDefinition | null,
  events: EventSettings | undefined,
  { errors }: ProblemList,
): void {
  const refuse = (keys: readonly string[], expected: string, found: string) => {
    const message = `expected ${expected} with positions: lsn, found ${found}`;
    errors.push(problemAt(table.at, keys, message));
  };
  if (catalog.type !== 'mssql') {
    refuse([], 'a source of type mssql', `${catalog.type}; set positions: offset`);
  }
  if (!key) {
    const found = 'none, and all changes of a transaction have one LSN';
    refuse([], 'a key', `${found}; set key_columns, or positions: offset in pipeline`);
  }
  if (table.staging === 'unlogged') {
    refuse(['staging'], 'staging: logged', 'unlogged; omit the key staging');
  }
  if (events && events.writer !== 'bento') {
    refuse([], 'writer: bento', `${events.writer}, which reads Kafka; set positions: offset`);
  }
}

function asKeyColumn(column: ColumnDefinition, key: KeyDefinition): ColumnDefinition {
  return key.columns.includes(column.name) && column.nullable
    ? { ...column, nullable: false }
    : column;
}
