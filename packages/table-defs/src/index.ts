export { asciiName } from './ascii-name.ts';
export { buildDefinitions, inspectDefinitions } from './build-definitions.ts';
export type { Definitions, InspectedDefinitions } from './build-definitions.ts';
export { createIndex, INDEX_COMMENT, renamedIndexes } from './declared-indexes.ts';
export { partitioningEntry, partitionKey } from './declared-partitions.ts';
export { buildManifest, locateTables } from './build-manifest.ts';
export type { ManifestFacts, LocatedTable, UserFile } from './build-manifest.ts';
export { findBackfill } from './backfill-columns.ts';
export {
  DEFINITIONS_FOLDER,
  parseDefinition,
  parseSets,
  renderDefinitions,
  renderSets,
  SETS_FILE,
} from './definition-file.ts';
export type { TableFile } from './definition-file.ts';
export { isInPartitionKey } from './diff/diff-columns.ts';
export { diffTables } from './diff/diff-tables.ts';
export { worstClass } from './diff/table-change.ts';
export type {
  AnyColumn,
  BothSides,
  ChangeClass,
  ChangeKind,
  ChangeOf,
  ChangeSides,
  TableChange,
} from './diff/table-change.ts';
export { formOf, formStaging, resolveEvents, UNAVAILABLE } from './event-forms.ts';
export type { EventForm, EventSettings } from './event-forms.ts';
export { headerFacts } from './header-facts.ts';
export {
  CATEGORIES,
  isUserFile,
  manifestPath,
  parseManifest,
  renderManifest,
  USER_CATEGORIES,
} from './manifest.ts';
export type { Category, Manifest, ManifestEntry, UserCategory } from './manifest.ts';
export {
  DELETED_AT,
  KAFKA_TIMESTAMP,
  METADATA_COLUMNS,
  POSITION_COLUMNS,
  RESERVED_NAMES,
} from './metadata-columns.ts';
export { buildObjectNames, MANAGEMENT_SCHEMA } from './object-names.ts';
export { OPERATIONS, spellings } from './operations.ts';
export type { Operation, OperationFacts } from './operations.ts';
export type { DefinitionProblem } from './problems.ts';
export { schemaLabel, sqlSchema } from './schema-label.ts';
export { sortDefinitions } from './sort-definitions.ts';
export { buildStagingColumns, cutSeconds, secondsOf, stagingType } from './staging-columns.ts';
export type { CutSeconds, StagedColumn, StagingColumn } from './staging-columns.ts';
export type {
  ColumnDefinition,
  ColumnRole,
  ExistingTable,
  IndexDefinition,
  PartitionDefinition,
  PartitioningDefinition,
  IndexMethod,
  KeyDefinition,
  MappedColumn,
  MigrationSet,
  ObjectNames,
  ReplicatedTable,
  SourceName,
  TableDefinition,
  TableIdentity,
  TargetSchema,
} from './table-definition.ts';
export {
  buildFinal,
  buildRoutines,
  buildStaging,
  buildStructure,
  columnEntry,
} from './table-structure.ts';
export type {
  ColumnStructure,
  IndexStructure,
  RelationStructure,
  RoutineStructure,
  StagingStructure,
  TableRoutines,
  TableStructure,
  TriggerStructure,
} from './table-structure.ts';
export {
  canonicalType,
  formatPgType,
  parsePgType,
  PG_TYPES,
  SPELLINGS,
} from './types/canonical-type.ts';
export type { PgType } from './types/canonical-type.ts';
export { findOverride, formatSourceType, mapType } from './types/map-type.ts';
export type { ColumnOverride, OverrideScope } from './types/map-type.ts';
export type { MappedType } from './types/mapped-type.ts';
export { MSSQL_TYPES } from './types/mssql-types.ts';
export type { MssqlMapping } from './types/mssql-types.ts';
export { TYPE_NOTES } from './types/type-notes.ts';
export type { Exactness, TypeNote, TypeNoteCode } from './types/type-notes.ts';
export { CONSTANT_PATTERN, isConstant } from './types/is-constant.ts';
export { classifyTypeChange, TYPE_RULES } from './types/type-change.ts';
export type { TypeChange, TypeCondition, TypeNumbers, TypeRule } from './types/type-change.ts';
