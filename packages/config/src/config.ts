import type { Location } from '@cdc-migrations/shape';

/** The complete configuration that users write in an implementation repo. */
export interface Config {
  readonly sourceGroups: readonly SourceGroup[];
  readonly sinkGroups: readonly SinkGroup[];
  readonly services: readonly Service[];
  /** Templates by the name under `templates:`. */
  readonly templates: ReadonlyMap<string, ColumnTemplate>;
  /** Type overrides by source group. */
  readonly typeOverrides: ReadonlyMap<string, TypeOverrides>;
}

/** The part of the configuration that table definitions are built from: everything except `source-groups.yaml`. */
export type ServiceConfig = Omit<Config, 'sourceGroups'>;

/** One database per customer, or one database for all customers. */
export type Pattern = 'db-per-tenant' | 'db-shared';

/** A group of `source-groups.yaml`: databases that events come from. */
export interface SourceGroup {
  readonly at: Location;
  readonly name: string;
  readonly pattern: Pattern;
  readonly type: 'mssql' | 'postgres';
  /** Table of each source database from which Debezium reads its signals. */
  readonly signalTable?: { readonly schema: string; readonly table: string };
  readonly envs: readonly string[];
  readonly validationEnv?: string;
  /** Database that represents the whole group in the validation environment. */
  readonly databaseRef?: string;
  readonly includePattern?: string;
  readonly databaseExcludePatterns: readonly string[];
  readonly schemaExcludePatterns: readonly string[];
  readonly tableIncludePatterns: readonly string[];
  readonly tableExcludePatterns: readonly string[];
  readonly servers: ReadonlyMap<string, Server>;
  /** Customers (db-per-tenant) or services (db-shared), in file order. */
  readonly sources: readonly Source[];
}

/** A group of `sink-groups.yaml`: PostgreSQL databases that events go to. */
export interface SinkGroup {
  readonly at: Location;
  readonly name: string;
  readonly sourceGroup: string;
  readonly pattern: Pattern;
  readonly pipeline?: PipelineSettings;
  /** Parts of a rollout, in order. Empty means all customers at once. */
  readonly waves: readonly Wave[];
  readonly envs: readonly string[];
  readonly servers: ReadonlyMap<string, Server>;
  /** Target databases. `<group>.<name>` is the name of the sink. */
  readonly sources: readonly Source[];
}

/** Customers that a rollout migrates together. */
export interface Wave {
  readonly at: Location;
  readonly name: string;
  /** Customers of this wave. Undefined means all customers that no other wave names. */
  readonly customers?: readonly string[];
  /** Number of customers to migrate in parallel. */
  readonly jobs?: number;
  /** Pause after the wave, in milliseconds. */
  readonly pauseMs?: number;
  /** Number of failed customers after which the rollout stops. */
  readonly stopAfter?: number;
}

/** A customer or service of a source group, or a target database of a sink group. */
export interface Source {
  readonly at: Location;
  readonly name: string;
  readonly schemas: readonly string[];
  readonly environments: ReadonlyMap<string, SourceEnvironment>;
}

/** Database of a source in one environment. */
export interface SourceEnvironment {
  readonly env: string;
  readonly server: string;
  readonly database: string;
  /** Sink environment that this environment feeds. The default is its own name. */
  readonly targetSinkEnv: string;
  readonly customerId?: string;
}

/** A server with the values from the configuration. `${VAR}` is resolved when a connection needs it. */
export interface Server {
  readonly at: Location;
  readonly name: string;
  readonly host: string;
  readonly port: string;
  readonly user: string;
  readonly password: string;
  readonly encrypt?: boolean;
  readonly trustServerCertificate?: boolean;
  readonly sslmode?: 'disable' | 'require' | 'verify-ca' | 'verify-full';
  readonly caFile?: string;
}

/** Content of a file `services/<service>.yaml`. */
export interface Service {
  readonly at: Location;
  readonly name: string;
  readonly validationDatabase: string;
  readonly validationEnv: string;
  readonly tables: readonly SourceTable[];
  readonly sinks: readonly ServiceSink[];
}

/** A source table that a service reads. */
export interface SourceTable {
  readonly at: Location;
  readonly schema: string;
  readonly table: string;
  readonly ignoreColumns: readonly string[];
  /** Columns to read. Undefined means all columns. */
  readonly includeColumns?: readonly string[];
  /** Key of a table that has no key at the source. */
  readonly keyColumns?: readonly string[];
  /** Key columns whose type does not keep the complete value. No two rows differ only in the lost part. */
  readonly lossyKeyColumns: readonly string[];
  /** Hints from the file. Their content is not checked. */
  readonly manualMigrationHints?: unknown;
}

/** Tables of a service in one sink. */
export interface ServiceSink {
  readonly at: Location;
  /** Name `<sink group>.<database>`, for example `sink_asma.directory`. */
  readonly sink: string;
  readonly tables: readonly SinkTable[];
}

/** A table of a sink and the source table that feeds it. */
export interface SinkTable {
  readonly at: Location;
  readonly schema: string;
  readonly table: string;
  readonly from: { readonly schema: string; readonly table: string };
  readonly targetExists: boolean;
  readonly columnTemplates: readonly TemplateUse[];
  readonly transforms: readonly Transform[];
  /** Column names in the final table, by source column. In a table that is created, other columns keep their names. */
  readonly columns: ReadonlyMap<string, string>;
  readonly deleteMode: 'hard' | 'soft';
  /** Persistence of the staging table. Undefined means the default, which depends on `positions`. */
  readonly staging?: 'unlogged' | 'logged';
  readonly pipeline?: PipelineSettings;
  /** Indexes of a created table, in addition to those that every table has. */
  readonly indexes: readonly TableIndex[];
  /** Partitioning of a table that is created. Undefined if the configuration does not contain it. */
  readonly partitionBy?: TablePartitioning;
  /** Columns of the final table that get the constant default of the source if a row or an event has no value. */
  readonly backfillFromDefault: readonly string[];
  /** Old column name to new column name, including those of `manual_migration_hints`. */
  readonly renames: ReadonlyMap<string, string>;
  readonly hints: MigrationHints;
}

/** An index of a final table. */
export interface TableIndex {
  readonly at: Location;
  /** Column names in the final table. */
  readonly columns: readonly string[];
  readonly unique: boolean;
  /** SQL condition of a partial index. */
  readonly where?: string;
  readonly method: 'btree' | 'hash' | 'gin' | 'gist' | 'spgist' | 'brin';
}

/** Partitioning of a final table. */
export interface TablePartitioning {
  readonly at: Location;
  readonly method: 'range' | 'list' | 'hash';
  /** Names in the final table. */
  readonly columns: readonly string[];
  readonly partitions: readonly TablePartition[];
  /** Number of partitions by hash. */
  readonly count?: number;
}

/** A partition by range or list. Without bounds it is the default partition. */
export interface TablePartition {
  readonly at: Location;
  readonly name: string;
  /** First values of a range. Undefined for a range without a lower bound. */
  readonly from?: readonly string[];
  /** First values after a range. Undefined for a range without an upper bound. */
  readonly to?: readonly string[];
  /** Values of a list. */
  readonly in?: readonly string[];
}

/**
 * The program that writes events to staging tables, and the format of their values. The options are those of Debezium's
 * properties, such as `decimal.handling.mode`.
 */
export interface PipelineSettings {
  readonly writer?: 'bento' | 'debezium-jdbc' | 'confluent-jdbc';
  /** Name of a preset of these settings. */
  readonly events?: 'debezium' | 'recommended' | 'bento-sql-raw';
  /** Format of dates and times. `rfc3339` always contains a date and a time, as Go writes it. */
  readonly time?:
    | 'adaptive'
    | 'adaptive_time_microseconds'
    | 'microseconds'
    | 'nanoseconds'
    | 'connect'
    | 'isostring'
    | 'rfc3339';
  readonly decimal?: 'precise' | 'string' | 'double';
  readonly binary?: 'bytes' | 'base64' | 'base64-url-safe' | 'hex';
  readonly interval?: 'numeric' | 'string';
  /** Placeholder for a large value that did not change. */
  readonly unavailable?: string;
  /** Handling of a TRUNCATE event. */
  readonly truncate?: 'dead_letter' | 'empty';
  /** Order of the events of a stream: Kafka offsets, or the commit LSN of SQL Server. */
  readonly positions?: 'offset' | 'lsn';
  readonly columnNames?: 'source' | 'ascii';
}

/** Statements for the manual file of an unsafe change. */
export interface MigrationHints {
  /** `USING` expressions by column. They convert values to the new type. */
  readonly using: ReadonlyMap<string, string>;
  /** Statements by column. They must run before the column becomes NOT NULL. */
  readonly beforeNotNull: ReadonlyMap<string, string>;
}

/** Use of a column template by a table. */
export interface TemplateUse {
  readonly at: Location;
  readonly template: string;
  /** Column name, if it differs from the name in the template. */
  readonly name?: string;
  /** Bloblang expression, if it differs from the expression in the template. */
  readonly value?: string;
}

/** A transform that a pipeline runs between source and sink. */
export interface Transform {
  readonly at: Location;
  readonly bloblangRef: string;
  readonly expectedOutputColumn?: string;
}

/** An entry of `column-templates.yaml`. */
export interface ColumnTemplate {
  readonly at: Location;
  readonly template: string;
  readonly name: string;
  /** PostgreSQL type as written. */
  readonly type: string;
  readonly notNull: boolean;
  /** SQL expression of the default. */
  readonly default?: string;
  readonly description?: string;
  /** Bloblang expression of the value. `this` is the row. */
  readonly value?: string;
}

/**
 * Content of `source-<group>-type-overrides.yaml`: PostgreSQL types that replace the defaults. The most specific one
 * applies.
 */
export interface TypeOverrides {
  readonly at: Location;
  /** Overrides for all tables, by source type. */
  readonly types: ReadonlyMap<string, string>;
  /** Overrides by `<schema>.<table>`. */
  readonly tables: ReadonlyMap<string, TableTypeOverrides>;
}

/** PostgreSQL types for the columns of one table, by source type and by column. */
export interface TableTypeOverrides {
  readonly types: ReadonlyMap<string, string>;
  readonly columns: ReadonlyMap<string, string>;
}
