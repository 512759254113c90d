export type { CatalogRow, CatalogValue, MssqlCatalog } from './engine/views.ts';
export type { ColumnSpec } from './engine/column-row.ts';
export type { RowEditor, RowValues } from './engine/edit-rows.ts';
export type { TableEditor, TableSpec } from './engine/edit-tables.ts';
export { synthesizeCatalog, type CatalogSize } from './engine/synthesize-catalog.ts';
export { readAdopusCatalog } from './read-adopus-catalog.ts';
export type { Fault, FaultRule } from './server/fault.ts';
export type { LoginAccount } from './server/login-reply.ts';
export type { MssqlDatabase } from './server/mssql-database.ts';
export type { ServedRequest } from './server/served-request.ts';
export {
  startMssqlFixture,
  type MssqlFixture,
  type MssqlFixtureOptions,
} from './server/start-mssql-fixture.ts';
export type { SqlValue } from './tds/sql-type.ts';
export type { EncryptionMode } from './tds/prelogin.ts';
