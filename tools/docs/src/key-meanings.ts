import type { ConfigFile } from './config-files.ts';

const ENVIRONMENT = '<group>.sources.<source>.<env>';
const SERVER = '<group>.servers.<server>';
const SOURCE_TABLE = 'source.tables.<table>';
const SINK_TABLE = 'sinks.<sink>.tables.<table>';
const TEMPLATE = 'templates.<template>';

/** Keys that a check requires although the shape of the file does not. */
export const NEEDED_ALL_THE_SAME: readonly string[] = [
  'source',
  'source.tables',
  'sinks',
  'sinks.<sink>.tables',
];

const OF_GROUPS = {
  '<group>.pattern':
    '`db-per-tenant`: a database for each customer. `db-shared`: one database with a schema for each service. A sink group always has `db-shared`, with a schema for each tenant',
  '<group>.description': 'a description for readers, otherwise ignored',
  '<group>.environment_aware': 'accepted and ignored, because every group has environments',
  '<group>.envs': 'environments of the group; default: those of its sources',
  '<group>.validation_env': 'the environment with the validation database of the group',
  '<group>.database_ref': 'the validation database of the group (not used yet)',
  '<group>.include_pattern': 'databases that belong to the group (not used yet)',
  '<group>.database_exclude_patterns': 'databases that do not belong to the group (not used yet)',
  '<group>.schema_exclude_patterns':
    'schemas that services must not use; a pattern can match a part of the name, and is case-insensitive for SQL Server',
  '<group>.table_include_patterns': 'services may use only tables that match one of these patterns',
  '<group>.table_exclude_patterns': 'tables that services must not use',
  '<group>.servers': 'the servers of the group, at least one',
  [`${SERVER}.host`]: 'host name; `${NAME}` refers to an environment variable',
  [`${SERVER}.port`]: 'port from 1 to 65535, or `${NAME}`',
  [`${SERVER}.user`]: 'user name, or `${NAME}`',
  [`${SERVER}.password`]: 'password, or `${NAME}`; the variable may be empty',
  [`${SERVER}.encrypt`]: 'SQL Server: false disables TLS; default: true',
  [`${SERVER}.trust_server_certificate`]:
    'SQL Server: true accepts any certificate; default: false',
  [`${SERVER}.sslmode`]:
    'PostgreSQL: TLS mode, as in libpq. The default `verify-full` requires a trusted certificate for this host',
  [`${SERVER}.ca_file`]:
    'file with the certificates (PEM) of trusted authorities, relative to the repo; default: the authorities that Node trusts',
  '<group>.sources':
    'customers (`db-per-tenant`), services (`db-shared`), or the target databases of a sink group',
  '<group>.sources.<source>.schemas': 'schemas of the database',
  [`${ENVIRONMENT}.server`]:
    'one of `servers`; an environment has only these four keys, and others are ignored',
  [`${ENVIRONMENT}.database`]: 'name of the database in this environment',
  [`${ENVIRONMENT}.target_sink_env`]:
    'the environment of the sink that receives its events; default: the one with the same name',
  [`${ENVIRONMENT}.customer_id`]:
    'id that the sink pipeline writes; required if the value of a column template uses it',
};

/** Builds the meanings of pipeline keys under a key of a group or a table. */
function ofPipeline(path: string): Readonly<Record<string, string>> {
  return {
    [`${path}.writer`]:
      'the program that inserts: `bento` (also Redpanda Connect: all parameters are text), or the JDBC sink of Debezium or Confluent; default: `bento`',
    [`${path}.events`]:
      'sets the five keys below. `debezium`: Debezium’s defaults. `recommended`: exact values with this writer. `bento-sql-raw`: Bento reads the change tables of SQL Server',
    [`${path}.time_precision_mode`]:
      'as Debezium’s `time.precision.mode`; `rfc3339`: times in the format of Go',
    [`${path}.decimal_handling_mode`]: 'as Debezium’s `decimal.handling.mode`',
    [`${path}.binary_handling_mode`]: 'as Debezium’s `binary.handling.mode`',
    [`${path}.interval_handling_mode`]: 'as Debezium’s `interval.handling.mode`',
    [`${path}.unavailable_value_placeholder`]:
      'as Debezium’s `unavailable.value.placeholder`; default: `__debezium_unavailable_value`',
    [`${path}.truncate`]:
      'effect of a TRUNCATE event: it becomes a dead letter, or removes all older rows of the table; default: `dead_letter`',
    [`${path}.positions`]:
      'order of events. `offset`: partition and offset of Kafka. `lsn`: the commit LSN of SQL Server, without Kafka, and with logged staging tables. Default: `offset`',
    [`${path}.column_names`]:
      '`ascii`: column names in ASCII, for example with `o` for `ø`. Default: the names of the source',
  };
}

/** Meaning of each key, in words of the glossary. */
export const MEANINGS: { readonly [F in ConfigFile]: Readonly<Record<string, string>> } = {
  'source-groups': {
    '<group>.type': 'database system of the sources',
    '<group>.signal_table':
      'signaling table of Debezium, in which `reload signal` requests a snapshot. Create it in each database, with the columns `id varchar(100)`, `type varchar(32)` and `data` (a long text). `enable-cdc` captures it. A generated connector reads it if it has only one database',
    ...OF_GROUPS,
  },
  'sink-groups': {
    '<group>.source_group': 'the source group whose events this group receives',
    '<group>.type': 'always PostgreSQL',
    '<group>.pipeline':
      'settings of the pipeline that writes to the staging tables of the group. Without this key, staging columns accept values in the input format of PostgreSQL',
    ...ofPipeline('<group>.pipeline'),
    '<group>.waves':
      'parts of a rollout, in order: `apply` starts a wave after the previous one has ended. Every customer is in exactly one wave',
    '<group>.waves[].name': 'name of the wave in `--wave` and in the output',
    '<group>.waves[].customers':
      'customers of the source group (`db-shared`: services). One wave may omit this key: it contains all customers that are in no other wave',
    '<group>.waves[].jobs': 'number of customers in parallel; `--jobs` overrides it; default: 4',
    '<group>.waves[].pause': 'how long `apply` waits after the wave: `30s`, `10m`, `1h`',
    '<group>.waves[].stop_after':
      'number of failed customers that stops the rollout; default: 1. With fewer failures, the next wave starts',
    ...OF_GROUPS,
  },
  service: {
    service: 'name of the service, only in the second form of the file',
    source: 'the source tables',
    'source.validation_database':
      'the database whose structure the definitions use. Its snapshot is `generated/schemas/<database>.<schema>.yaml`',
    'source.validation_env': 'the environment of this database',
    'source.tables': 'the source tables; write `{}` for a table without settings',
    [`${SOURCE_TABLE}.ignore_columns`]: 'columns that are not replicated',
    [`${SOURCE_TABLE}.include_columns`]: 'only these columns are replicated, except ignored ones',
    [`${SOURCE_TABLE}.key_columns`]:
      'columns of the key, if the table has no primary key, or one that is not replicated or does not identify rows',
    [`${SOURCE_TABLE}.lossy_key_columns`]:
      'key columns to accept although their type does not keep every value. No two rows may differ only in the lost part',
    [`${SOURCE_TABLE}.manual_migration_hints`]: 'ignored; set it in the sink table instead',
    sinks: 'the sinks that receive the tables, by `<sink group>.<database>`',
    'sinks.<sink>.tables': 'the final tables, by `<schema>.<Table>`',
    [`${SINK_TABLE}.from`]: 'the source table, one of `source.tables`',
    [`${SINK_TABLE}.target_exists`]: 'true: the table exists already and is only checked',
    [`${SINK_TABLE}.replicate_structure`]:
      'must be the opposite of `target_exists`, which is also the default',
    [`${SINK_TABLE}.columns`]:
      'maps source columns to columns of the table. Other columns keep their names. With `target_exists: true`, only mapped columns are checked',
    [`${SINK_TABLE}.column_templates`]: 'extra columns, after those of the source',
    [`${SINK_TABLE}.column_templates[].template`]: 'a key of `templates`',
    [`${SINK_TABLE}.column_templates[].name`]:
      'name of the column; default: the name in the template',
    [`${SINK_TABLE}.column_templates[].value`]:
      'value that the sink pipeline writes; default: the value in the template',
    [`${SINK_TABLE}.transforms`]:
      'steps of the sink pipeline. Generated files name them in their header',
    [`${SINK_TABLE}.transforms[].bloblang_ref`]: 'address of the transform',
    [`${SINK_TABLE}.transforms[].expected_output_column`]:
      'column that the transform fills. It is nullable text, unless the source has a column with this name',
    [`${SINK_TABLE}.delete_mode`]:
      '`hard`: a delete removes the row. `soft`: it sets `__deleted_at`',
    [`${SINK_TABLE}.staging`]: '`logged`: the staging table survives a crash and costs WAL',
    [`${SINK_TABLE}.pipeline`]: 'settings that differ from those of the sink group',
    ...ofPipeline(`${SINK_TABLE}.pipeline`),
    [`${SINK_TABLE}.indexes`]:
      'indexes in addition to those that every table has: [how](../indexes.md)',
    [`${SINK_TABLE}.indexes[].columns`]: 'columns of the final table, in the order of the index',
    [`${SINK_TABLE}.indexes[].unique`]:
      'true: no two rows can have the same values, and an event that violates this becomes a dead letter',
    [`${SINK_TABLE}.indexes[].where`]: 'SQL condition of the rows in the index',
    [`${SINK_TABLE}.indexes[].method`]: 'index method of PostgreSQL; only `btree` can be unique',
    [`${SINK_TABLE}.partition_by`]:
      'partitions of the final table, by `range`, `list` or `hash`: [how](../partitions.md)',
    [`${SINK_TABLE}.partition_by.range`]: 'columns of the primary key, for partitions by range',
    [`${SINK_TABLE}.partition_by.list`]: 'a column of the primary key, for partitions by list',
    [`${SINK_TABLE}.partition_by.hash`]: 'columns of the primary key, for partitions by hash',
    [`${SINK_TABLE}.partition_by.partitions`]:
      'partitions by range or list; omit this key if users create the partitions',
    [`${SINK_TABLE}.partition_by.partitions[].name`]:
      'the partition is called `<Table>_<name>`. Without bounds it contains all rows of no other partition',
    [`${SINK_TABLE}.partition_by.partitions[].from`]:
      'lower bound of a range (inclusive), a value for each column; omit it for no lower bound',
    [`${SINK_TABLE}.partition_by.partitions[].to`]:
      'upper bound of a range (exclusive), a value for each column; omit it for no upper bound',
    [`${SINK_TABLE}.partition_by.partitions[].in`]: 'values of the rows in a partition by list',
    [`${SINK_TABLE}.partition_by.count`]: 'number of partitions by hash',
    [`${SINK_TABLE}.backfill_from_default`]:
      'NOT NULL columns whose missing values in rows and events become the constant default of the source: [how](../backfill.md)',
    [`${SINK_TABLE}.renames`]:
      'maps old names of columns to new ones: [renamed columns](changes.md#renamed-columns)',
    [`${SINK_TABLE}.manual_migration_hints`]:
      'hints for the draft of a manual file, and `renames` in the form of the original tool',
    [`${SINK_TABLE}.manual_migration_hints.renames`]: 'as `renames` of the table',
    [`${SINK_TABLE}.manual_migration_hints.renames[].from`]: 'old name of a column',
    [`${SINK_TABLE}.manual_migration_hints.renames[].to`]: 'new name of the column',
    [`${SINK_TABLE}.manual_migration_hints.type_changes`]: 'conversions of values to another type',
    [`${SINK_TABLE}.manual_migration_hints.type_changes[].column`]: 'name of the column',
    [`${SINK_TABLE}.manual_migration_hints.type_changes[].using`]:
      'the expression after `USING` in a draft of `diff --scaffold-manual`',
    [`${SINK_TABLE}.manual_migration_hints.set_not_null`]:
      'statements to run before a column can be NOT NULL',
    [`${SINK_TABLE}.manual_migration_hints.set_not_null[].column`]: 'name of the column',
    [`${SINK_TABLE}.manual_migration_hints.set_not_null[].pre_sql`]:
      'the statement that the draft runs before `SET NOT NULL`',
  },
  'column-templates': {
    templates: 'the templates, by name',
    [`${TEMPLATE}.name`]: 'name of the column',
    [`${TEMPLATE}.type`]: 'type of the column, for example `varchar(20)` or `timestamptz`',
    [`${TEMPLATE}.not_null`]: 'true: the column is NOT NULL',
    [`${TEMPLATE}.default`]: 'DEFAULT of the column; `false` and `0` are expressions too',
    [`${TEMPLATE}.description`]: 'a description for readers, otherwise ignored',
    [`${TEMPLATE}.value`]:
      'value that the sink pipeline writes; required for a column that is NOT NULL and has no default',
  },
  'type-overrides': {
    types:
      'maps source types (`datetime`, `nvarchar(max)`, `dbo.Url`) to the type of all their columns',
    tables: 'overrides for single source tables',
    'tables.<table>.types': 'maps source types to the type of their columns in this table',
    'tables.<table>.columns': 'maps columns of this table to their type',
  },
};
