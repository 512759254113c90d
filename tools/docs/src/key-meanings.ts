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
    '`db-per-tenant`: one database for each customer. `db-shared`: one database for all customers, with a schema for each service. A sink group is always `db-shared`, with a schema for each tenant',
  '<group>.description': 'a comment for readers',
  '<group>.environment_aware': 'ignored, because every group has environments',
  '<group>.envs': 'environments of the group. Default: the environments of its sources',
  '<group>.validation_env': "environment of the group's validation database",
  '<group>.database_ref': "the group's validation database (not used yet)",
  '<group>.include_pattern': 'databases that belong to the group (not used yet)',
  '<group>.database_exclude_patterns': 'databases that do not belong to the group (not used yet)',
  '<group>.schema_exclude_patterns':
    'schemas that services must not use. A pattern can match a part of a name. For SQL Server, patterns are case-insensitive',
  '<group>.table_include_patterns': 'services can use only tables that match one of these patterns',
  '<group>.table_exclude_patterns': 'tables that services must not use',
  '<group>.servers': 'the servers of the group. At least one is required',
  [`${SERVER}.host`]: 'host name, or an environment variable as `${NAME}`',
  [`${SERVER}.port`]: 'port from 1 to 65535, or `${NAME}`',
  [`${SERVER}.user`]: 'user name, or `${NAME}`',
  [`${SERVER}.password`]: 'password, or `${NAME}`. The variable can be empty',
  [`${SERVER}.encrypt`]: 'SQL Server: `false` disables TLS. Default: `true`',
  [`${SERVER}.trust_server_certificate`]:
    'SQL Server: `true` accepts any certificate. Default: `false`',
  [`${SERVER}.sslmode`]:
    'PostgreSQL: TLS mode, as in libpq. The default is `verify-full`, which requires a trusted certificate for this host',
  [`${SERVER}.ca_file`]:
    'path of a PEM file with trusted certificate authorities, relative to the repo. Default: the authorities that Node trusts',
  '<group>.sources':
    'customers (`db-per-tenant`), services (`db-shared`), or the target databases of a sink group',
  '<group>.sources.<source>.schemas': 'schemas of the database',
  [`${ENVIRONMENT}.server`]:
    'one of `servers`. Only this key and the next three keys of an environment are used. Other keys are ignored',
  [`${ENVIRONMENT}.database`]: 'name of the database in this environment',
  [`${ENVIRONMENT}.target_sink_env`]:
    'the sink environment that receives the events of this source environment. Default: the sink environment with the same name',
  [`${ENVIRONMENT}.customer_id`]:
    'customer id that the sink pipeline writes. Required if the value of a column template uses it',
};

/** Builds the meanings of pipeline keys under a key of a group or a table. */
function ofPipeline(path: string): Readonly<Record<string, string>> {
  return {
    [`${path}.writer`]:
      'the program that inserts events. `bento`: Bento or Redpanda Connect, which send all values as text. `debezium-jdbc`, `confluent-jdbc`: the Debezium or Confluent JDBC sink. Default: `bento`',
    [`${path}.events`]:
      'default values for the next five keys. `debezium`: Debezium’s defaults. `recommended`: settings with which this writer preserves values exactly. `bento-sql-raw`: for a Bento pipeline that reads SQL Server change tables',
    [`${path}.time_precision_mode`]:
      'same as Debezium’s `time.precision.mode`. `rfc3339`: times in RFC 3339 format, as Go programs write them',
    [`${path}.decimal_handling_mode`]: 'same as Debezium’s `decimal.handling.mode`',
    [`${path}.binary_handling_mode`]: 'same as Debezium’s `binary.handling.mode`',
    [`${path}.interval_handling_mode`]: 'same as Debezium’s `interval.handling.mode`',
    [`${path}.unavailable_value_placeholder`]:
      'same as Debezium’s `unavailable.value.placeholder`. Default: `__debezium_unavailable_value`',
    [`${path}.truncate`]:
      'effect of a TRUNCATE event. `dead_letter`: the event becomes a dead letter. `empty`: the event removes all older rows of the table. Default: `dead_letter`',
    [`${path}.positions`]:
      'how events are ordered. `offset`: by Kafka offset in each partition. `lsn`: by the SQL Server commit LSN, for pipelines without Kafka. With `lsn`, staging tables are logged. Default: `offset`',
    [`${path}.column_names`]:
      '`source`: the column names of the source. `ascii`: column names in ASCII, for example with `o` for `ø`. Default: `source`',
  };
}

/** Meaning of each key, in words of the glossary. */
export const MEANINGS: { readonly [F in ConfigFile]: Readonly<Record<string, string>> } = {
  'source-groups': {
    '<group>.type': 'database system of the sources',
    '<group>.signal_table':
      "Debezium's signaling table, in which `reload signal` requests a snapshot. Create the table in each database, with the columns `id varchar(100)`, `type varchar(32)` and `data` (a long text type). `enable-cdc` enables change data capture for it. A generated connector uses the signaling table only if the connector reads a single database",
    ...OF_GROUPS,
  },
  'sink-groups': {
    '<group>.source_group': 'the source group whose events this group receives',
    '<group>.type': 'always PostgreSQL',
    '<group>.pipeline':
      'settings of the pipeline that writes to the staging tables of the group. Without this key, staging tables expect values in the input format of PostgreSQL',
    ...ofPipeline('<group>.pipeline'),
    '<group>.waves':
      'the waves of a rollout: lists of customers. `apply` starts a wave after the previous wave has ended. Every customer is in exactly one wave',
    '<group>.waves[].name': 'name of the wave in `--wave` and in the output',
    '<group>.waves[].customers':
      'customers of the source group. For a `db-shared` source group: its services. One wave can omit this key. That wave contains all customers that are in no other wave',
    '<group>.waves[].jobs':
      'number of customers that `apply` migrates in parallel. Default: 4. `--jobs` overrides it',
    '<group>.waves[].pause': 'how long `apply` waits after the wave',
    '<group>.waves[].stop_after':
      'the rollout stops after this number of failed customers. Default: 1. With fewer failures, the next wave starts',
    ...OF_GROUPS,
  },
  service: {
    service: 'name of the service, if the file has the second form',
    source: 'the source tables',
    'source.validation_database':
      'the source database from which the table definitions are built. `generated/schemas/<database>.<schema>.yaml` contains its structure',
    'source.validation_env':
      'the environment in which commands read this database, unless `--env` is set',
    'source.tables': 'the source tables. Write `{}` for a table without settings',
    [`${SOURCE_TABLE}.ignore_columns`]: 'columns that are not replicated',
    [`${SOURCE_TABLE}.include_columns`]:
      'the only columns that are replicated, unless they are also in `ignore_columns`. Default: all columns',
    [`${SOURCE_TABLE}.key_columns`]:
      'columns of the key. Use this option if the table has no primary key, or if the primary key is not replicated or does not identify rows',
    [`${SOURCE_TABLE}.lossy_key_columns`]:
      'key columns that are accepted although their type cannot store every value exactly. No two rows may differ only in the part that is lost',
    [`${SOURCE_TABLE}.manual_migration_hints`]:
      'ignored. Write the hints under the sink table instead',
    sinks: 'the sinks that receive the tables. Write each sink as `<sink group>.<database>`',
    'sinks.<sink>.tables': 'the final tables. Write each table as `<schema>.<Table>`',
    [`${SINK_TABLE}.from`]: 'the source table, one of `source.tables`',
    [`${SINK_TABLE}.target_exists`]:
      '`true`: the table exists already. `check` compares it, and `apply` does not change it',
    [`${SINK_TABLE}.replicate_structure`]:
      'must be the opposite of `target_exists`, and has no other effect. You can omit this key',
    [`${SINK_TABLE}.columns`]:
      'maps names of source columns to names of final columns. Names of other columns do not change. With `target_exists: true`, only mapped columns are checked',
    [`${SINK_TABLE}.column_templates`]: 'extra columns, which follow the source columns',
    [`${SINK_TABLE}.column_templates[].template`]: 'a key of `templates`',
    [`${SINK_TABLE}.column_templates[].name`]:
      'name of the column. Default: the name in the template',
    [`${SINK_TABLE}.column_templates[].value`]:
      'value that the sink pipeline writes. Default: the value in the template',
    [`${SINK_TABLE}.transforms`]:
      'steps of the sink pipeline. The headers of generated files list them',
    [`${SINK_TABLE}.transforms[].bloblang_ref`]: 'address of the transform',
    [`${SINK_TABLE}.transforms[].expected_output_column`]:
      'column that the transform fills. It is a nullable `text` column, unless the source has a column with this name',
    [`${SINK_TABLE}.delete_mode`]:
      '`hard`: a delete removes the row. `soft`: a delete sets `__deleted_at`',
    [`${SINK_TABLE}.staging`]: '`logged`: the staging table survives a crash, but writes WAL',
    [`${SINK_TABLE}.pipeline`]: 'settings that differ from those of the sink group',
    ...ofPipeline(`${SINK_TABLE}.pipeline`),
    [`${SINK_TABLE}.indexes`]:
      'indexes in addition to those that every table has. See [Indexes](../indexes.md)',
    [`${SINK_TABLE}.indexes[].columns`]: 'columns of the final table, in the order of the index',
    [`${SINK_TABLE}.indexes[].unique`]:
      '`true`: no two rows can have the same values. An event that violates this rule becomes a dead letter',
    [`${SINK_TABLE}.indexes[].where`]:
      'SQL condition. The index contains only rows that satisfy it',
    [`${SINK_TABLE}.indexes[].method`]:
      'PostgreSQL index method. Only a `btree` index can be unique',
    [`${SINK_TABLE}.partition_by`]:
      'partitions of the final table, by `range`, `list` or `hash`. See [Partitions](../partitions.md)',
    [`${SINK_TABLE}.partition_by.range`]: 'columns of the primary key, for partitions by range',
    [`${SINK_TABLE}.partition_by.list`]: 'a column of the primary key, for partitions by list',
    [`${SINK_TABLE}.partition_by.hash`]: 'columns of the primary key, for partitions by hash',
    [`${SINK_TABLE}.partition_by.partitions`]:
      'partitions by range or list. Omit this key if you create the partitions yourself',
    [`${SINK_TABLE}.partition_by.partitions[].name`]:
      'the partition is called `<Table>_<name>`. A partition without bounds contains all rows that belong to no other partition',
    [`${SINK_TABLE}.partition_by.partitions[].from`]:
      'inclusive lower bound of a range, with a value for each column. Omit it for no lower bound',
    [`${SINK_TABLE}.partition_by.partitions[].to`]:
      'exclusive upper bound of a range, with a value for each column. Omit it for no upper bound',
    [`${SINK_TABLE}.partition_by.partitions[].in`]:
      'values of the column in this partition, for partitions by list',
    [`${SINK_TABLE}.partition_by.count`]: 'number of partitions by hash',
    [`${SINK_TABLE}.backfill_from_default`]:
      'NOT NULL columns to fill. In rows and events without a value, the column is set to its constant default in the source. See [Backfill](../backfill.md)',
    [`${SINK_TABLE}.renames`]:
      'maps old column names to new ones. See [renamed columns](changes.md#renamed-columns)',
    [`${SINK_TABLE}.manual_migration_hints`]:
      'hints for `diff --scaffold-manual`. Older files also contain `renames` here',
    [`${SINK_TABLE}.manual_migration_hints.renames`]: 'same as `renames` of the table',
    [`${SINK_TABLE}.manual_migration_hints.renames[].from`]: 'old name of a column',
    [`${SINK_TABLE}.manual_migration_hints.renames[].to`]: 'new name of the column',
    [`${SINK_TABLE}.manual_migration_hints.type_changes`]:
      'conversions of values to a different type',
    [`${SINK_TABLE}.manual_migration_hints.type_changes[].column`]: 'name of the column',
    [`${SINK_TABLE}.manual_migration_hints.type_changes[].using`]:
      'the expression after `USING` in the file that `diff --scaffold-manual` writes',
    [`${SINK_TABLE}.manual_migration_hints.set_not_null`]:
      'statements to run before a column can be NOT NULL',
    [`${SINK_TABLE}.manual_migration_hints.set_not_null[].column`]: 'name of the column',
    [`${SINK_TABLE}.manual_migration_hints.set_not_null[].pre_sql`]:
      'the statement before `SET NOT NULL` in the file that `diff --scaffold-manual` writes',
  },
  'column-templates': {
    templates: 'the templates. The key of a template is its name',
    [`${TEMPLATE}.name`]: 'name of the column',
    [`${TEMPLATE}.type`]: 'type of the column, for example `varchar(20)` or `timestamptz`',
    [`${TEMPLATE}.not_null`]: '`true`: the column is NOT NULL',
    [`${TEMPLATE}.default`]: 'default of the column. `false` and `0` are expressions too',
    [`${TEMPLATE}.description`]: 'a comment for readers',
    [`${TEMPLATE}.value`]:
      'value that the sink pipeline writes. Required for a NOT NULL column without a default',
  },
  'type-overrides': {
    types:
      'maps source types (`datetime`, `nvarchar(max)`, `dbo.Url`) to PostgreSQL types, in all tables',
    tables: 'overrides for individual source tables',
    'tables.<table>.types': 'maps source types to PostgreSQL types, in this table',
    'tables.<table>.columns': 'maps columns of this table to PostgreSQL types',
  },
};
