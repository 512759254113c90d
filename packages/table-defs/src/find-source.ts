import type { Catalog, CatalogTable } from '@cdc-migrations/catalog';
import type { Service, ServiceSink, SinkTable, SourceTable } from '@cdc-migrations/config';
import { problemAt, type ProblemList } from './problems.ts';

/** A sink table with all that belongs to it. */
export interface Place {
  readonly service: Service;
  readonly sink: ServiceSink;
  readonly table: SinkTable;
  readonly selection: SourceTable;
  readonly catalog: Catalog;
  readonly source: CatalogTable;
}

/** The snapshot of a sink table's source; undefined, and a problem, where there is none. */
export function findSource(
  wanted: Pick<Place, 'service' | 'sink' | 'table'>,
  catalogs: readonly Catalog[],
  problems: ProblemList,
): Place | undefined {
  const { service, table } = wanted;
  const { schema, table: name } = table.from;
  const selection = service.tables.find((entry) => entry.schema === schema && entry.table === name);
  if (!selection) throw new Error(`${table.at.file}: ${schema}.${name} is not in source.tables`);
  const database = service.validationDatabase;
  const catalog = catalogs.find((entry) => entry.database === database && entry.schema === schema);
  if (!catalog) {
    const message =
      `there is no snapshot of ${database}.${schema} in generated/schemas/; ` +
      'cdc manage-migrations schema-docs makes it';
    problems.errors.push(problemAt(service.at, ['source', 'validation_database'], message));
    return undefined;
  }
  const source = findTable(catalog, name);
  if (!source) {
    const message =
      `the snapshot of ${catalog.database}.${catalog.schema} has no table "${name}"; is the name right, and ` +
      'the snapshot (cdc manage-migrations schema-docs) of today?';
    problems.errors.push(problemAt(selection.at, [], message));
    return undefined;
  }
  return { ...wanted, selection, catalog, source };
}

/** By its exact name, else, as SQL Server takes names, without regard to case. */
function findTable({ type, tables }: Catalog, name: string): CatalogTable | undefined {
  const exact = tables.find((table) => table.name === name);
  if (exact || type !== 'mssql') return exact;
  return tables.find((table) => table.name.toLowerCase() === name.toLowerCase());
}
