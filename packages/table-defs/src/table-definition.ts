import type { Pattern } from '@cdc-migrations/catalog';
import type { EventForm } from './event-forms.ts';
import type { Exactness, TypeNoteCode } from './types/type-notes.ts';

/**
 * All that the renderers need to know of one table of one migration set: the content of a file
 * `generated/table-definitions/<Table>.yaml`.
 */
export type TableDefinition = ReplicatedTable | ExistingTable;

/** Which table a definition is of. */
export interface TableIdentity {
  /** Sink whose database the table is in: `sink_asma.directory`. */
  readonly set: string;
  readonly service: string;
  readonly source: SourceName;
  readonly schema: TargetSchema;
  /** Name in PostgreSQL, at most 63 bytes. */
  readonly name: string;
}

/** A table that we create and that the change feed writes (`target_exists: false`). */
export interface ReplicatedTable extends TableIdentity {
  readonly kind: 'replicated';
  readonly names: ObjectNames;
  /** Source columns, template columns, transform outputs, metadata, in the order of the final table. */
  readonly columns: readonly ColumnDefinition[];
  readonly key: KeyDefinition | null;
  readonly deleteMode: 'hard' | 'soft';
  /** Indexes that the configuration asks for; left out if there are none. */
  readonly indexes?: readonly IndexDefinition[];
  readonly staging: 'unlogged' | 'logged';
  /** What stands for a large value that did not change, where it is not Debezium's usual placeholder. */
  readonly unavailable?: string;
  /** A TRUNCATE of the source table empties it; without it that is a dead letter. */
  readonly truncate?: 'empty';
  /** Events are ordered by the commit LSN of SQL Server; without it by offsets of Kafka. */
  readonly positions?: 'lsn';
  /** References of the transforms between source and sink, for the header. */
  readonly transforms: readonly string[];
}

/** A table that is there already (`target_exists: true`): only checked. */
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

/** `tenant`: the schema of each customer or of the service, `{{SCHEMA}}` in SQL. */
export type TargetSchema =
  { readonly scope: 'tenant' } | { readonly scope: 'literal'; readonly name: string };

/** Names of what belongs to a replicated table, each at most 63 bytes, all in the table's schema. */
export interface ObjectNames {
  readonly staging: string;
  readonly trigger: string;
  readonly mergeProcedure: string;
  readonly mergeWindow: string;
  readonly primaryKey: string;
  readonly syncIndex: string;
  /** Unique index over the stream position, of a table without a key. */
  readonly positionIndex: string;
}

/** The key of a final table, and what made it the key. */
export interface KeyDefinition {
  /** Names in PostgreSQL. */
  readonly columns: readonly string[];
  readonly origin: 'primary key' | 'key_columns' | 'unique index';
}

/** An index of a final table that the configuration asks for. */
export interface IndexDefinition {
  /** It holds a digest of all else, so that an index that changes has another name. */
  readonly name: string;
  /** Names in PostgreSQL. */
  readonly columns: readonly string[];
  readonly unique?: true;
  /** SQL condition of a partial index. */
  readonly where?: string;
  /** As PostgreSQL calls it, where it is not a B-tree. */
  readonly method?: IndexMethod;
}

/** Methods of PostgreSQL that are not the usual one. */
export type IndexMethod = 'hash' | 'gin' | 'gist' | 'spgist' | 'brin';

/** Where a column comes from: the source, a column template, the output of a transform, or our metadata. */
export type ColumnRole = 'source' | 'template' | 'transform' | 'metadata';

/** A column of a final table. */
export interface ColumnDefinition {
  /** Name in PostgreSQL, at most 63 bytes. */
  readonly name: string;
  readonly role: ColumnRole;
  /** As `format_type` spells it: `character varying(50)`, `timestamp(3) without time zone`. */
  readonly type: string;
  readonly nullable: boolean;
  /** SQL expression. */
  readonly default?: string;
  /** Names in PostgreSQL that it had before, newest first: a column of one of them becomes this one. */
  readonly formerly?: readonly string[];
  /** Of a source column: its name and type there. */
  readonly source?: { readonly name: string; readonly type: string };
  /** How its values come into staging, where PostgreSQL does not read them as this type. */
  readonly form?: EventForm;
  readonly exactness?: Exactness;
  /** Why a column is not exact, or what else is worth knowing of its type. */
  readonly code?: TypeNoteCode;
  /** The same in a sentence. */
  readonly reason?: string;
}

/** A column of an existing table, and what the change feed writes into it. */
export interface MappedColumn {
  readonly name: string;
  readonly role: Exclude<ColumnRole, 'metadata'>;
  /** The narrowest type that fits, as `format_type` spells it. */
  readonly type: string;
  readonly nullable: boolean;
  /** Of a source column: its name and type there. */
  readonly source?: { readonly name: string; readonly type: string };
  /** As of a column of a replicated table. */
  readonly exactness?: Exactness;
  readonly code?: TypeNoteCode;
  readonly reason?: string;
}

/**
 * What goes into one target database: the content of an entry of `generated/migration-sets.yaml`. It holds
 * nothing of the tenants and of the columns, so that stages that need neither are not rebuilt for them.
 */
export interface MigrationSet {
  /** `<sink group>.<database>`. */
  readonly name: string;
  /** Where its files go: `migrations`, or `migrations/<name>` where there are several sets. */
  readonly folder: string;
  readonly sourceGroup: string;
  readonly pattern: Pattern;
  /** Services with tables in the set, in order of name. */
  readonly services: readonly string[];
  /** Literal schemas of the set's replicated tables, in order of name, without `public`. */
  readonly literalSchemas: readonly string[];
}
