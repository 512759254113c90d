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
