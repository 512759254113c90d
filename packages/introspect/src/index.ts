export { planCustomers, planReferences } from './plan-sources.ts';
export type { PlanOptions, SourcePlan } from './plan-sources.ts';
export { readCatalogs } from './read-catalogs.ts';
export type { ReadCatalogsOptions } from './read-catalogs.ts';
export {
  CaFileError,
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
export type {
  CatalogSelection,
  SourceEvent,
  SourceOptions,
  SourceTarget,
} from './source-target.ts';
