export { buildDefinitions } from './build-definitions.ts';
export type { Definitions } from './build-definitions.ts';
export {
  DEFINITIONS_FOLDER,
  parseDefinition,
  parseSets,
  renderDefinitions,
  renderSets,
  SETS_FILE,
} from './definition-file.ts';
export type { TableFile } from './definition-file.ts';
export { fileStems } from './file-stems.ts';
export {
  DELETED_AT,
  KAFKA_TIMESTAMP,
  METADATA_COLUMNS,
  POSITION_COLUMNS,
} from './metadata-columns.ts';
export { schemaLabel } from './schema-label.ts';
export type {
  ColumnDefinition,
  ColumnRole,
  Exactness,
  ExistingTable,
  KeyDefinition,
  MappedColumn,
  MigrationSet,
  ObjectNames,
  ReplicatedTable,
  SourceName,
  TableDefinition,
  TargetSchema,
} from './table-definition.ts';
export { canonicalType, formatPgType, parsePgType } from './types/canonical-type.ts';
export type { PgType } from './types/canonical-type.ts';
export { classifyTypeChange } from './types/type-change.ts';
export type { TypeChange } from './types/type-change.ts';
