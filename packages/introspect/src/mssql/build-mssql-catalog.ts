import { compareNames, type Catalog } from '@cdc-migrations/catalog';
import { buildMssqlColumns } from './build-mssql-columns.ts';
import { buildMssqlKeys } from './build-mssql-keys.ts';
import type { MssqlCatalogRows } from './parse-mssql-catalog-rows.ts';
import { matching, selectMssqlTables, type MssqlSelection } from './select-mssql-tables.ts';

/**
 * Builds the catalog of the selected tables from the rows of SQL Server's catalog views. Throws MssqlSelectionError
 * with every selected table that does not exist.
 */
export function buildMssqlCatalog(rows: MssqlCatalogRows, selection: MssqlSelection): Catalog {
  const { database, schema, pattern } = selection;
  const collation = matching(rows.databases, database)[0]?.collation_name ?? undefined;
  const columnsOf = buildMssqlColumns(rows, collation);
  const keysOf = buildMssqlKeys(rows);
  const tables = selectMssqlTables(rows, selection).map((table) => ({
    name: table.name,
    columns: columnsOf(table.object_id),
    ...keysOf(table.object_id),
    ...(table.is_tracked_by_cdc && { tracked: true }),
  }));
  return {
    database,
    schema,
    type: 'mssql',
    pattern,
    ...(collation !== undefined && { collation }),
    tables: tables.sort(compareNames),
  };
}
