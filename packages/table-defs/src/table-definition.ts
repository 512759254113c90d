import type { Pattern } from '@cdc-migrations/catalog';
import type { EventForm } from './event-forms.ts';
import type { Exactness, TypeNoteCode } from './types/type-notes.ts';

/**
 * Everything that the renderers need to know about one table of one migration set. It is the content of a file
 * `generated/table-definitions/<Table>.yaml`.
 */
export type TableDefinition = ReplicatedTable | ExistingTable;

/** Identity of a table. */
export interface TableIdentity {
  /** Sink whose database contains the table: `sink_asma.directory`. */
  readonly set: string;
  readonly service: string;
  readonly source: SourceName;
  readonly schema: TargetSchema;
  /** Name in PostgreSQL, at most 63 bytes. */
  readonly name: string;
}

/** A table that we create and that CDC writes (`target_exists: false`). */
export interface ReplicatedTable extends TableIdentity {
  readonly kind: 'replicated';
  readonly names: ObjectNames;
  /** Source columns, template columns, transform outputs, metadata, in the order of the final table. */
  readonly columns: readonly ColumnDefinition[];
  readonly key: KeyDefinition | null;
  readonly deleteMode: 'hard' | 'soft';
  /** Indexes declared in the configuration. Undefined if there are none. */
  readonly indexes?: readonly IndexDefinition[];
  /** Partitioning declared in the configuration. Undefined if there is none. */
  readonly partitionBy?: PartitioningDefinition;
  readonly staging: 'unlogged' | 'logged';
  /** Placeholder for an unchanged large value, if it is not Debezium's default. */
  readonly unavailable?: string;
  /** Set if a TRUNCATE of the source empties the table. Otherwise a TRUNCATE is moved to the dead letters. */
  readonly truncate?: 'empty';
  /** Set if events are ordered by SQL Server's commit LSN. Otherwise they are ordered by Kafka offset. */
  readonly positions?: 'lsn';
  /** References to the transforms between source and sink, for the header. */
  readonly transforms: readonly string[];
}

/** An existing table (`target_exists: true`) that is only checked. */
export interface ExistingTable extends TableIdentity {
  readonly kind: 'existing';
  readonly columns: readonly MappedColumn[];
}

/** The source table of a definition. */
export interface SourceName {
  readonly database: string;
  readonly schema: string;
  readonly table: string;
}

/** Schema of a table. `tenant` is the schema of each customer or of the service, `{{SCHEMA}}` in SQL. */
export type TargetSchema =
  { readonly scope: 'tenant' } | { readonly scope: 'literal'; readonly name: string };

/** Names of the objects of a replicated table, each at most 63 bytes, all in the table's schema. */
export interface ObjectNames {
  readonly staging: string;
  readonly trigger: string;
  readonly mergeProcedure: string;
  readonly mergeWindow: string;
  readonly primaryKey: string;
  readonly syncIndex: string;
  /** Unique index over the stream position, in a table without a key. */
  readonly positionIndex: string;
}

/** The key of a final table and its origin. */
export interface KeyDefinition {
  /** Names in PostgreSQL. */
  readonly columns: readonly string[];
  readonly origin: 'primary key' | 'key_columns' | 'unique index';
}

/** An index of a final table, declared in the configuration. */
export interface IndexDefinition {
  /** The name contains a digest of the other properties, so that a changed index has another name. */
  readonly name: string;
  /** Names in PostgreSQL. */
  readonly columns: readonly string[];
  readonly unique?: true;
  /** SQL condition of a partial index. */
  readonly where?: string;
  /** Index method of PostgreSQL, if it is not B-tree. */
  readonly method?: IndexMethod;
}

/** Partitioning of a final table. */
export interface PartitioningDefinition {
  readonly method: 'range' | 'list' | 'hash';
  /** Names in PostgreSQL. */
  readonly columns: readonly string[];
  /** Declared partitions. Users can add others. */
  readonly partitions: readonly PartitionDefinition[];
}

/** A partition of a final table. */
export interface PartitionDefinition {
  /** Name in PostgreSQL: `Actor_2025`. */
  readonly name: string;
  /** As in SQL: `FOR VALUES FROM ('2025-01-01') TO ('2026-01-01')`, or `DEFAULT`. */
  readonly bounds: string;
}

/** Index methods of PostgreSQL other than B-tree. */
export type IndexMethod = 'hash' | 'gin' | 'gist' | 'spgist' | 'brin';

/** Origin of a column: the source, a column template, the output of a transform, or our metadata. */
export type ColumnRole = 'source' | 'template' | 'transform' | 'metadata';

/** A column of a final table. */
export interface ColumnDefinition {
  /** Name in PostgreSQL, at most 63 bytes. */
  readonly name: string;
  readonly role: ColumnRole;
  /** As printed by `format_type`: `character varying(50)`, `timestamp(3) without time zone`. */
  readonly type: string;
  readonly nullable: boolean;
  /** SQL expression. */
  readonly default?: string;
  /**
   * Constant default of the source as SQL, for rows and events without a value. Set by `backfill_from_default`. The
   * column has no default in the final table.
   */
  readonly backfill?: string;
  /** Earlier names in PostgreSQL, newest first. A column with one of these names is renamed to this one. */
  readonly formerly?: readonly string[];
  /** Name and type at the source. Only for a source column. */
  readonly source?: { readonly name: string; readonly type: string };
  /** Form of its values in staging, if PostgreSQL cannot read them directly as this type. */
  readonly form?: EventForm;
  readonly exactness?: Exactness;
  /** Code of a note about the type, such as why it is not exact. */
  readonly code?: TypeNoteCode;
  /** The note as a sentence. */
  readonly reason?: string;
}

/** A column of an existing table, and the values that CDC writes to it. */
export interface MappedColumn {
  readonly name: string;
  readonly role: Exclude<ColumnRole, 'metadata'>;
  /** The narrowest suitable type, as printed by `format_type`. */
  readonly type: string;
  readonly nullable: boolean;
  /** Name and type at the source. Only for a source column. */
  readonly source?: { readonly name: string; readonly type: string };
  /** Exactness as in a replicated table. */
  readonly exactness?: Exactness;
  readonly code?: TypeNoteCode;
  readonly reason?: string;
}

/**
 * A migration set: the files for one target database. It is an entry of `generated/migration-sets.yaml`. It contains
 * neither tenants nor columns, so that changes to them do not rebuild unrelated stages.
 */
export interface MigrationSet {
  /** `<sink group>.<database>`. */
  readonly name: string;
  /** Folder of its files: `migrations`, or `migrations/<name>` if there are several sets. */
  readonly folder: string;
  readonly sourceGroup: string;
  readonly pattern: Pattern;
  /** Services with tables in the set, sorted by name. */
  readonly services: readonly string[];
  /** Literal schemas of the set's replicated tables, sorted by name, without `public`. */
  readonly literalSchemas: readonly string[];
}
