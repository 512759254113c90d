export { formatProblem, locateProblems } from '@cdc-migrations/shape';
export type { Location, Problem } from '@cdc-migrations/shape';
export type {
  ColumnTemplate,
  Config,
  MigrationHints,
  Pattern,
  Server,
  Service,
  ServiceConfig,
  ServiceSink,
  PipelineSettings,
  SinkGroup,
  SinkTable,
  Source,
  SourceEnvironment,
  SourceGroup,
  SourceTable,
  TableTypeOverrides,
  TemplateUse,
  Transform,
  TypeOverrides,
  Wave,
} from './config.ts';
export type { ConfigFiles, FileText } from './config-files.ts';
export { ConfigError, parseConfig, parseServiceConfig, parseSourceGroups } from './parse-config.ts';
export { isCertificate, isCertificateError, postgresTls, refuseTlsAnswer } from './postgres-tls.ts';
export type { TlsSettings } from './postgres-tls.ts';
export { readConfig, readServiceConfig, readSourceGroups } from './read-config.ts';
export { InvalidPortError, MissingVariablesError, resolveServer } from './resolve-server.ts';
export type { ResolvedServer } from './resolve-server.ts';
export { schemaNameFault, tenantNameFault } from './schema-name.ts';
export { tenantsOf } from './tenants-of.ts';
