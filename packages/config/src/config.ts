import type { Location } from '@cdc-migrations/shape';

/** Everything that people write in an implementation repo. */
export interface Config {
  readonly sourceGroups: readonly SourceGroup[];
  readonly sinkGroups: readonly SinkGroup[];
  readonly services: readonly Service[];
  /** By the name under `templates:`. */
  readonly templates: ReadonlyMap<string, ColumnTemplate>;
  /** By source group. */
  readonly typeOverrides: ReadonlyMap<string, TypeOverrides>;
}

/** The part of the configuration that table definitions are made from: all but `source-groups.yaml`. */
export type ServiceConfig = Omit<Config, 'sourceGroups'>;

/** A database for each customer, or one database for all. */
export type Pattern = 'db-per-tenant' | 'db-shared';

/** A group of `source-groups.yaml`: the databases that events come from. */
export interface SourceGroup {
  readonly at: Location;
  readonly name: string;
  readonly pattern: Pattern;
  readonly type: 'mssql' | 'postgres';
  /** Table of each source database that Debezium reads its signals from. */
  readonly signalTable?: { readonly schema: string; readonly table: string };
  readonly envs: readonly string[];
  readonly validationEnv?: string;
  /** Database that stands for all of the group, in the validation environment. */
  readonly databaseRef?: string;
  readonly includePattern?: string;
  readonly databaseExcludePatterns: readonly string[];
  readonly schemaExcludePatterns: readonly string[];
  readonly tableIncludePatterns: readonly string[];
  readonly tableExcludePatterns: readonly string[];
  readonly servers: ReadonlyMap<string, Server>;
  /** Customers (db-per-tenant) or services (db-shared), in the file's order. */
  readonly sources: readonly Source[];
}

/** A group of `sink-groups.yaml`: PostgreSQL databases that events go to. */
export interface SinkGroup {
  readonly at: Location;
  readonly name: string;
  readonly sourceGroup: string;
  readonly pattern: Pattern;
  readonly pipeline?: PipelineSettings;
  /** Parts of a rollout, in order; none: all customers at once. */
  readonly waves: readonly Wave[];
  readonly envs: readonly string[];
  readonly servers: ReadonlyMap<string, Server>;
  /** Target databases; `<group>.<name>` is the sink. */
  readonly sources: readonly Source[];
}

/** Customers that a rollout takes together. */
export interface Wave {
  readonly at: Location;
  readonly name: string;
  /** Undefined: all that no other wave names. */
  readonly customers?: readonly string[];
  /** Customers that are worked on in parallel. */
  readonly jobs?: number;
  /** Time to wait after the wave. */
  readonly pauseMs?: number;
  /** Number of failed customers that stops the rollout. */
  readonly stopAfter?: number;
}

/** A customer or service of a source group, or a target database of a sink group. */
export interface Source {
  readonly at: Location;
  readonly name: string;
  readonly schemas: readonly string[];
  readonly environments: ReadonlyMap<string, SourceEnvironment>;
}

/** The database of a source in one environment. */
export interface SourceEnvironment {
  readonly env: string;
  readonly server: string;
  readonly database: string;
  /** Environment of the sink that this one feeds; its own name unless said otherwise. */
  readonly targetSinkEnv: string;
  readonly customerId?: string;
}

/** A server as written: `${VAR}` stays until a connection needs it. */
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

/** A file `services/<service>.yaml`. */
export interface Service {
  readonly at: Location;
  readonly name: string;
  readonly validationDatabase: string;
  readonly validationEnv: string;
  readonly tables: readonly SourceTable[];
  readonly sinks: readonly ServiceSink[];
}

/** A table of the source that a service reads. */
export interface SourceTable {
  readonly at: Location;
  readonly schema: string;
  readonly table: string;
  readonly ignoreColumns: readonly string[];
  /** Only these columns, where given. */
  readonly includeColumns?: readonly string[];
  /** Key of a table that the source gives none. */
  readonly keyColumns?: readonly string[];
  /** Key columns whose type does not keep every value, by which alone no two rows differ. */
  readonly lossyKeyColumns: readonly string[];
  /** As written, of any shape. */
  readonly manualMigrationHints?: unknown;
}

/** The tables of a service in one sink. */
export interface ServiceSink {
  readonly at: Location;
  /** `<sink group>.<database>`: `sink_asma.directory`. */
  readonly sink: string;
  readonly tables: readonly SinkTable[];
}

/** A table of a sink, and the source table that feeds it. */
export interface SinkTable {
  readonly at: Location;
  readonly schema: string;
  readonly table: string;
  readonly from: { readonly schema: string; readonly table: string };
  readonly targetExists: boolean;
  readonly columnTemplates: readonly TemplateUse[];
  readonly transforms: readonly Transform[];
  /** Source column to target column, of a table that exists already. */
  readonly columns: ReadonlyMap<string, string>;
  readonly deleteMode: 'hard' | 'soft';
  /** Undefined: as `positions` needs it. */
  readonly staging?: 'unlogged' | 'logged';
  readonly pipeline?: PipelineSettings;
  /** Indexes of a table that is created, beside those that every table has. */
  readonly indexes: readonly TableIndex[];
  /** Old column name to new one, those of `manual_migration_hints` too. */
  readonly renames: ReadonlyMap<string, string>;
  readonly hints: MigrationHints;
}

/** An index of a final table. */
export interface TableIndex {
  readonly at: Location;
  /** Names in the final table. */
  readonly columns: readonly string[];
  readonly unique: boolean;
  /** SQL condition of a partial index. */
  readonly where?: string;
  readonly method: 'btree' | 'hash' | 'gin' | 'gist' | 'spgist' | 'brin';
}

/** What writes events to staging tables, and how their values look; the values are those of Debezium's properties. */
export interface PipelineSettings {
  readonly writer?: 'bento' | 'debezium-jdbc' | 'confluent-jdbc';
  /** A name for the settings of values. */
  readonly events?: 'debezium' | 'recommended' | 'bento-sql-raw';
  /** `rfc3339`: dates and times with both parts, as Go writes them. */
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
  /** What stands for a large value that did not change. */
  readonly unavailable?: string;
  /** What becomes of a TRUNCATE event. */
  readonly truncate?: 'dead_letter' | 'empty';
  /** What orders the events of a stream: offsets of Kafka, or the commit LSN of SQL Server. */
  readonly positions?: 'offset' | 'lsn';
  readonly columnNames?: 'source' | 'ascii';
}

/** What a manual file for an unsafe change is to say. */
export interface MigrationHints {
  /** Column to the expression of `USING` that gives its values in the new type. */
  readonly using: ReadonlyMap<string, string>;
  /** Column to the statement that is to run before it becomes NOT NULL. */
  readonly beforeNotNull: ReadonlyMap<string, string>;
}

/** A use of a column template by a table. */
export interface TemplateUse {
  readonly at: Location;
  readonly template: string;
  /** Column name, where it differs from the template's. */
  readonly name?: string;
  /** Bloblang expression, where it differs from the template's. */
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
  /** SQL expression. */
  readonly default?: string;
  readonly description?: string;
  /** Bloblang expression of its value; `this` is the row. */
  readonly value?: string;
}

/** `source-<group>-type-overrides.yaml`: PostgreSQL types that replace the defaults, the narrowest wins. */
export interface TypeOverrides {
  readonly at: Location;
  /** By source type, for all tables. */
  readonly types: ReadonlyMap<string, string>;
  /** By `<schema>.<table>`. */
  readonly tables: ReadonlyMap<string, TableTypeOverrides>;
}

/** Types of PostgreSQL for the columns of one table: by type of the source, and by column. */
export interface TableTypeOverrides {
  readonly types: ReadonlyMap<string, string>;
  readonly columns: ReadonlyMap<string, string>;
}
