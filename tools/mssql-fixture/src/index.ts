export type { LoginAccount } from './batch/session.ts';
export { readAdopusCatalog, synthesizeCatalog, type CatalogSize } from './catalogs.ts';
export type { MssqlCatalog, RowEditor } from './engine/open-engine.ts';
export type { ColumnSpec } from './engine/system-types.ts';
export type { TableEditor, TableSpec } from './engine/tables.ts';
export type { FoundRow, RowValues } from './engine/views.ts';
export type { Fault, FaultRule } from './server/fault.ts';
export type { ServedRequest } from './server/server-context.ts';
export {
  startMssqlFixture,
  type MssqlDatabase,
  type MssqlFixture,
  type MssqlFixtureOptions,
} from './server/start-mssql-fixture.ts';
export type { EncryptionMode } from './tds/login.ts';
export type { SqlValue } from './tds/sql-type.ts';
