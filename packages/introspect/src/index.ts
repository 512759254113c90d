export { compareCatalogs } from './compare-catalogs.ts';
export type { CatalogDifference } from './compare-catalogs.ts';
export type { CaptureRequest } from './cdc/capture-state.ts';
export { cleanCdc } from './cdc/clean-cdc.ts';
export type { CleanCdcOptions, CleanCdcResult, CleanupResult } from './cdc/clean-cdc.ts';
export { enableCdc } from './cdc/enable-cdc.ts';
export type { EnableCdcOptions, EnableCdcResult, TableResult } from './cdc/enable-cdc.ts';
export { RISKS } from './cdc/finding.ts';
export type { Finding, FindingCode, FindingLevel } from './cdc/finding.ts';
export { formatLsn, parseLsn } from './cdc/lsn.ts';
export type { Lsn } from './cdc/lsn.ts';
export type { CaptureOptions, CapturePlan, TablePlan } from './cdc/plan-capture.ts';
export type { CleanupInstance, CleanupStep } from './cdc/plan-cleanup.ts';
export { enablePublication } from './publication/enable-publication.ts';
export type {
  EnablePublicationOptions,
  EnablePublicationResult,
  PublicationTableResult,
} from './publication/enable-publication.ts';
export type {
  PublicationOptions,
  PublicationPlan,
  PublicationTablePlan,
  ReplicaIdentity,
} from './publication/plan-publication.ts';
export type { CarrierNames, PublicationRequest } from './publication/publication-state.ts';
export { describeStep, rotateCdc } from './cdc/rotate-cdc.ts';
export type {
  Passed,
  RotateCdcOptions,
  RotateCdcResult,
  RotationResult,
  RotationStep,
} from './cdc/rotate-cdc.ts';
export { planCustomers, planValidationDatabases } from './plan-sources.ts';
export type { PlanOptions, SourcePlan } from './plan-sources.ts';
export { readCatalogs } from './read-catalogs.ts';
export type { ReadCatalogsOptions } from './source-reader.ts';
export {
  CaFileError,
  CaptureDisabledError,
  ConnectionLostError,
  EmptyDatabaseError,
  EncryptionError,
  LoginRefusedError,
  MissingTablesError,
  PermissionDeniedError,
  ServerUnreachableError,
  SourceChangedError,
  SourceError,
  SourceQueryError,
  SourceTimeoutError,
  UnknownDatabaseError,
  UntrustedCertificateError,
} from './source-error.ts';
export type { MissingTable } from './source-error.ts';
export { openRowReader } from './read-rows.ts';
export type { RowReader, TextRow } from './read-rows.ts';
export { renderSignal, renderSnapshotData, sendSignal, SignalNameError } from './send-signal.ts';
export type { Signal, SignalledTable, SnapshotKind } from './send-signal.ts';
export type {
  CatalogSelection,
  SourceEvent,
  SourceOptions,
  SourceDatabase,
} from './source-database.ts';
export { buildMssqlCatalog } from './mssql/build-mssql-catalog.ts';
export { MssqlRowsError, parseMssqlCatalogRows } from './mssql/parse-mssql-catalog-rows.ts';
export type { MssqlCatalogRows, MssqlRow, MssqlView } from './mssql/parse-mssql-catalog-rows.ts';
export { MssqlSelectionError } from './mssql/select-mssql-tables.ts';
export type { MssqlSelection, UnmatchedTable } from './mssql/select-mssql-tables.ts';
