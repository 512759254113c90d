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
  TableIndex,
  TablePartition,
  TablePartitioning,
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
export { readConfig, readServiceConfig, readSourceGroups } from './read-config.ts';
export { schemaNameProblem, tenantNameProblem } from './schema-name.ts';
export { isPort } from './schemas/groups.ts';
export { tenantsOf } from './tenants-of.ts';
