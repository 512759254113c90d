export { buildMssqlCatalog } from './mssql/build-mssql-catalog.ts';
export { MssqlRowsError, parseMssqlCatalogRows } from './mssql/parse-mssql-catalog-rows.ts';
export type { MssqlCatalogRows, MssqlRow } from './mssql/parse-mssql-catalog-rows.ts';
export { MssqlSelectionError } from './mssql/select-mssql-tables.ts';
export type { MssqlSelection, UnmatchedTable } from './mssql/select-mssql-tables.ts';
