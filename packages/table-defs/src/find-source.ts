import type { Catalog, CatalogTable } from '@cdc-migrations/catalog';
import type { Service, ServiceSink, SinkTable, SourceTable } from '@cdc-migrations/config';
import { goneAt, problemAt, type ProblemList } from './problems.ts';

/** A sink table with its configuration and source. */
export interface TableMapping {
  readonly service: Service;
  readonly sink: ServiceSink;
  readonly table: SinkTable;
  readonly selection: SourceTable;
  readonly catalog: Catalog;
  readonly source: CatalogTable;
}

/** Sources of one service for lookup by name. */
export interface SourceIndex {
  /** By `<schema>.<table>`. */
  readonly selections: ReadonlyMap<string, SourceTable>;
  /** Snapshots of the service's database, by schema. */
  readonly snapshots: ReadonlyMap<string, Snapshot>;
}

interface Snapshot {
  readonly catalog: Catalog;
  readonly tables: ReadonlyMap<string, CatalogTable>;
  /** By name in lower case, because SQL Server ignores case. */
  readonly foldedTables: ReadonlyMap<string, CatalogTable>;
}

/** Builds the index of a service's sources. */
export function indexSources(service: Service, catalogs: readonly Catalog[]): SourceIndex {
  const own = catalogs.filter(({ database }) => database === service.validationDatabase);
  return {
    selections: new Map(service.tables.map((entry) => [`${entry.schema}.${entry.table}`, entry])),
    snapshots: new Map(own.map((catalog) => [catalog.schema, indexTables(catalog)])),
  };
}

/** Finds the snapshot of a sink table's source. Reports a problem and returns undefined if there is none. */
export function findSource(
  wanted: Pick<TableMapping, 'service' | 'sink' | 'table'>,
  { selections, snapshots }: SourceIndex,
  problems: ProblemList,
): TableMapping | undefined {
  const { service, table } = wanted;
  const { schema, table: name } = table.from;
  const selection = selections.get(`${schema}.${name}`);
  if (!selection) throw new Error(`${table.at.file}: ${schema}.${name} is not in source.tables`);
  const snapshot = snapshots.get(schema);
  if (!snapshot) {
    const message =
      `there is no snapshot of ${service.validationDatabase}.${schema} in generated/schemas/; ` +
      'cdc manage-migrations schema-docs creates it';
    problems.errors.push(problemAt(service.at, ['source', 'validation_database'], message));
    return undefined;
  }
  const { catalog, tables, foldedTables } = snapshot;
  const source = tables.get(name) ?? foldedTables.get(name.toLowerCase());
  if (!source) {
    const message =
      `the snapshot of ${catalog.database}.${catalog.schema} has no table "${name}"; check the name, or ` +
      'update the snapshot with cdc manage-migrations schema-docs';
    problems.errors.push(goneAt(selection.at, [], message));
    return undefined;
  }
  return { ...wanted, selection, catalog, source };
}

function indexTables(catalog: Catalog): Snapshot {
  const folded = catalog.type === 'mssql' ? catalog.tables : [];
  return {
    catalog,
    tables: new Map(catalog.tables.map((table) => [table.name, table])),
    foldedTables: new Map(folded.map((table) => [table.name.toLowerCase(), table])),
  };
}
