import type { Catalog, CatalogTable } from '@cdc-migrations/catalog';
import {
  ConfigError,
  type Problem,
  type Service,
  type ServiceConfig,
  type ServiceSink,
  type SinkTable,
  type SourceTable,
} from '@cdc-migrations/config';
import { shortName } from '@cdc-migrations/sql-text';
import { buildColumns, buildSourceColumns } from './build-columns.ts';
import { buildSets } from './build-sets.ts';
import { chooseKey } from './choose-key.ts';
import { buildObjectNames } from './object-names.ts';
import { problemAt, type ProblemList } from './problems.ts';
import { refuseNameClashes } from './refuse-name-clashes.ts';
import { selectColumns } from './select-columns.ts';
import type {
  ColumnDefinition,
  ExistingTable,
  KeyDefinition,
  MigrationSet,
  ReplicatedTable,
  TableDefinition,
} from './table-definition.ts';
import { canonicalType } from './types/canonical-type.ts';

export interface Definitions {
  /** In order of set, service, schema and name. */
  readonly tables: readonly TableDefinition[];
  readonly sets: readonly MigrationSet[];
  readonly warnings: readonly Problem[];
}

/** Template whose column says which customer a row belongs to. */
const CUSTOMER_TEMPLATE = 'customer_id';

/**
 * Definitions of every sink table of every service, and the migration sets that they make up.
 *
 * @throws ConfigError with all problems of all tables: a column in `ignore_columns` that the source lacks, names
 * that fall together, a type without a counterpart, a missing snapshot.
 */
export function buildDefinitions(config: ServiceConfig, catalogs: readonly Catalog[]): Definitions {
  const problems: ProblemList = { errors: [], warnings: [] };
  refuseUnknownOverrides(config, problems);
  const placed = config.services.flatMap((service) =>
    service.sinks.flatMap((sink) =>
      sink.tables.flatMap((table) => {
        const place = findSource(service, sink, table, catalogs, problems);
        return place
          ? [{ definition: buildDefinition(place, config, problems), at: table.at }]
          : [];
      }),
    ),
  );
  refuseNameClashes(placed, problems);
  const tables = placed
    .map(({ definition }) => definition)
    .sort((a, b) => compareText(sortKey(a), sortKey(b)));
  const sets = buildSets(config, catalogs, tables, problems);
  if (problems.errors.length > 0) throw new ConfigError(problems.errors);
  return { tables, sets, warnings: problems.warnings };
}

/** A sink table with all that belongs to it. */
interface Place {
  readonly service: Service;
  readonly sink: ServiceSink;
  readonly table: SinkTable;
  readonly selection: SourceTable;
  readonly catalog: Catalog;
  readonly source: CatalogTable;
}

function findSource(
  service: Service,
  sink: ServiceSink,
  table: SinkTable,
  catalogs: readonly Catalog[],
  problems: ProblemList,
): Place | undefined {
  const { schema, table: name } = table.from;
  const selection = service.tables.find((entry) => entry.schema === schema && entry.table === name);
  if (!selection) return undefined;
  const catalog = catalogs.find(
    (entry) => entry.database === service.validationDatabase && entry.schema === schema,
  );
  if (!catalog) {
    const message =
      `there is no snapshot of ${service.validationDatabase}.${schema} in generated/schemas/; ` +
      'cdc manage-migrations schema-docs makes it';
    problems.errors.push(problemAt(selection.at, [], message));
    return undefined;
  }
  const fold = (text: string) => (catalog.type === 'mssql' ? text.toLowerCase() : text);
  const source = catalog.tables.find((entry) => fold(entry.name) === fold(name));
  if (!source) {
    const message =
      `the snapshot of ${catalog.database}.${schema} has no table "${name}"; is the name right, and the ` +
      'snapshot (cdc manage-migrations schema-docs) of today?';
    problems.errors.push(problemAt(selection.at, [], message));
    return undefined;
  }
  return { service, sink, table, selection, catalog, source };
}

function buildDefinition(
  place: Place,
  config: ServiceConfig,
  problems: ProblemList,
): TableDefinition {
  return place.table.targetExists
    ? buildExisting(place, config, problems)
    : buildReplicated(place, config, problems);
}

function buildReplicated(
  place: Place,
  config: ServiceConfig,
  problems: ProblemList,
): ReplicatedTable {
  const { catalog, source, selection, table } = place;
  const selected = selectColumns(source, selection, problems);
  const sourceKey = chooseKey(source, selected, selection, problems);
  const columns = buildColumns(
    {
      type: catalog.type,
      columns: selected,
      key: sourceKey?.columns ?? [],
      selection,
      sink: table,
      templates: config.templates,
      scope: overrideScope(place, config),
    },
    problems,
  );
  const key = sourceKey && withCustomer(sourceKey, place, config, problems);
  return {
    kind: 'replicated',
    ...identity(place),
    names: buildObjectNames(shortName(table.table)),
    columns: key ? columns.map((column) => asKeyColumn(column, key)) : columns,
    key,
    deleteMode: table.deleteMode,
    staging: table.staging,
    transforms: table.transforms.map(({ bloblangRef }) => bloblangRef),
  };
}

function buildExisting(place: Place, config: ServiceConfig, problems: ProblemList): ExistingTable {
  const { catalog, source, selection, table } = place;
  const selected = selectColumns(source, selection, problems);
  const mapped = selected.filter(({ name }) => table.columns.has(name));
  for (const name of table.columns.keys()) {
    if (mapped.some((column) => column.name === name)) continue;
    const message = `${selection.schema}.${source.name} has no replicated column "${name}"`;
    problems.errors.push(problemAt(table.at, ['columns', name], message));
  }
  const scope = overrideScope(place, config);
  const columns = buildSourceColumns(
    { type: catalog.type, columns: mapped, key: [], selection, scope },
    problems,
  );
  return {
    kind: 'existing',
    ...identity(place),
    columns: columns.map(({ type, nullable, source: from }) => ({
      name: table.columns.get(from.name)!,
      type,
      nullable,
      source: from,
    })),
  };
}

function identity({ service, sink, table, catalog, source }: Place) {
  const scope: TableDefinition['schema'] =
    table.schema === service.name ? { scope: 'tenant' } : { scope: 'literal', name: table.schema };
  return {
    set: sink.sink,
    service: service.name,
    source: { database: catalog.database, schema: catalog.schema, table: source.name },
    schema: scope,
    name: shortName(table.table),
  };
}

function overrideScope({ sink, selection }: Place, config: ServiceConfig) {
  const group = config.sinkGroups.find(({ name }) => sink.sink.startsWith(`${name}.`))?.sourceGroup;
  return {
    overrides: group === undefined ? undefined : config.typeOverrides.get(group),
    table: `${selection.schema}.${selection.table}`,
  };
}

/**
 * The key of the final table: names as in PostgreSQL, and the customer in front where rows of several customers
 * meet in one table that is not theirs alone.
 */
function withCustomer(
  key: KeyDefinition,
  { catalog, table, service }: Place,
  config: ServiceConfig,
  problems: ProblemList,
): KeyDefinition {
  const columns = key.columns.map(shortName);
  const use = table.columnTemplates.find(({ template }) => template === CUSTOMER_TEMPLATE);
  const shared = catalog.pattern === 'db-per-tenant' && table.schema !== service.name;
  if (!use && (shared || catalog.pattern === 'db-shared')) {
    const message =
      `rows of several customers meet in ${table.schema}.${table.table}: it needs the column template ` +
      `"${CUSTOMER_TEMPLATE}"`;
    problems.errors.push(problemAt(table.at, [], message));
  }
  const customer = shortName(
    use?.name ?? config.templates.get(CUSTOMER_TEMPLATE)?.name ?? CUSTOMER_TEMPLATE,
  );
  return use && shared && !columns.includes(customer)
    ? { ...key, columns: [customer, ...columns] }
    : { ...key, columns };
}

function asKeyColumn(column: ColumnDefinition, key: KeyDefinition): ColumnDefinition {
  return key.columns.includes(column.name) && column.nullable
    ? { ...column, nullable: false }
    : column;
}

function refuseUnknownOverrides({ typeOverrides }: ServiceConfig, problems: ProblemList): void {
  for (const { at, types, tables } of typeOverrides.values()) {
    const check = (entries: ReadonlyMap<string, string>, keys: readonly string[]) => {
      for (const [name, type] of entries) {
        if (canonicalType(type) !== undefined) continue;
        const message = `"${type}" is no PostgreSQL type that a column can be given here`;
        problems.errors.push(problemAt(at, [...keys, name], message));
      }
    };
    check(types, ['types']);
    for (const [table, of] of tables) {
      check(of.types, ['tables', table, 'types']);
      check(of.columns, ['tables', table, 'columns']);
    }
  }
}

function sortKey({ set, service, schema, name }: TableDefinition): string {
  return [set, service, schema.scope === 'tenant' ? '' : schema.name, name].join('\0');
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
