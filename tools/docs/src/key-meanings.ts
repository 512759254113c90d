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
    '`db-per-tenant`: a database for each customer. `db-shared`: one database, a schema for each service; of sinks always, a schema for each tenant',
  '<group>.description': 'for readers',
  '<group>.environment_aware': 'accepted; every group has environments here',
  '<group>.envs': 'environments of the group; default: those of its sources',
  '<group>.validation_env': 'the environment with the validation database of the group',
  '<group>.database_ref': 'the validation database of the group (not used yet)',
  '<group>.include_pattern': 'databases that belong to the group (not used yet)',
  '<group>.database_exclude_patterns': 'databases that do not belong to the group (not used yet)',
  '<group>.schema_exclude_patterns':
    'schemas that no service may name; a pattern can match a part of the name, and is case-insensitive for SQL Server',
  '<group>.table_include_patterns':
    'services may name only tables that match one of these patterns',
  '<group>.table_exclude_patterns': 'tables that no service may name',
  '<group>.servers': 'at least one',
  [`${SERVER}.host`]: 'text, with `${NAME}` for a variable of the environment',
  [`${SERVER}.port`]: 'from 1 to 65535, or `${NAME}`',
  [`${SERVER}.user`]: 'as `host`',
  [`${SERVER}.password`]: 'as `host`; the variable may be empty',
  [`${SERVER}.encrypt`]: 'SQL Server: TLS for all of the connection',
  [`${SERVER}.trust_server_certificate`]: 'SQL Server: accept any certificate',
  [`${SERVER}.sslmode`]:
    'PostgreSQL: TLS modes of libpq; default: `verify-full`, so the certificate must be trusted and must be for this host',
  [`${SERVER}.ca_file`]:
    'file with the certificates (PEM) of trusted authorities, relative to the repo; default: the authorities that Node trusts',
  '<group>.sources':
    'customers (`db-per-tenant`), services (`db-shared`), or the target databases of a sink group',
  '<group>.sources.<source>.schemas': 'schemas of the database',
  [`${ENVIRONMENT}.server`]: 'one of `servers`; keys other than these four are ignored',
  [`${ENVIRONMENT}.database`]: 'name of the database in this environment',
  [`${ENVIRONMENT}.target_sink_env`]:
    'the environment of the sink that receives its events; default: the one with the same name',
  [`${ENVIRONMENT}.customer_id`]:
    'for the sink pipeline; required where the value of a column template uses it',
};

/** Builds the meanings of pipeline keys under a key of a group or a table. */
function ofPipeline(path: string): Readonly<Record<string, string>> {
  return {
    [`${path}.writer`]:
      'the program that inserts: `bento` (also Redpanda Connect: all parameters are text), or the JDBC sink of Debezium or Confluent; default: `bento`',
    [`${path}.events`]:
      'sets the five keys below. `debezium`: Debezium’s defaults. `recommended`: exact values with this writer. `bento-sql-raw`: Bento reads the change tables of SQL Server',
    [`${path}.time_precision_mode`]:
      'as Debezium’s `time.precision.mode`; `rfc3339`: as Go writes times',
    [`${path}.decimal_handling_mode`]: 'as Debezium’s `decimal.handling.mode`',
    [`${path}.binary_handling_mode`]: 'as Debezium’s `binary.handling.mode`',
    [`${path}.interval_handling_mode`]: 'as Debezium’s `interval.handling.mode`',
    [`${path}.unavailable_value_placeholder`]:
      'as Debezium’s `unavailable.value.placeholder`; default: `__debezium_unavailable_value`',
    [`${path}.truncate`]:
      'effect of a TRUNCATE event: it becomes a dead letter, or empties the table up to its position; default: `dead_letter`',
    [`${path}.positions`]:
      'order of events. `offset`: partition and offset of Kafka. `lsn`: the commit LSN of SQL Server, without Kafka, and with logged staging tables. Default: `offset`',
    [`${path}.column_names`]:
      '`ascii`: names in ASCII, with `o` for `ø`. Default: names of the source',
  };
}

/** Meaning of each key, in words of the glossary. */
export const MEANINGS: { readonly [F in ConfigFile]: Readonly<Record<string, string>> } = {
  'source-groups': {
    '<group>.type': 'database system of the sources',
    '<group>.signal_table':
      'signaling table of Debezium, in which `reload signal` requests a snapshot. Each database has it, with the columns `id varchar(100)`, `type varchar(32)`, `data` (a long text). `enable-cdc` captures it, and generated connectors of one database read it',
    ...OF_GROUPS,
  },
  'sink-groups': {
    '<group>.source_group': 'the source group whose events it receives',
    '<group>.type': 'always PostgreSQL',
    '<group>.pipeline':
      'the pipeline that writes to the staging tables of the group; without this key, PostgreSQL reads values as they are',
    ...ofPipeline('<group>.pipeline'),
    '<group>.waves':
      'parts of a rollout, in order: `apply` begins a wave when the previous one is done. Every customer is in exactly one wave',
    '<group>.waves[].name': 'for `--wave` and for output',
    '<group>.waves[].customers':
      'customers of the source group (`db-shared`: services). One wave may omit it: it has the customers that no other wave names',
    '<group>.waves[].jobs': 'number of customers in parallel; `--jobs` overrides it; default: 4',
    '<group>.waves[].pause': 'how long `apply` waits after the wave: `30s`, `10m`, `1h`',
    '<group>.waves[].stop_after':
      'number of failed customers that stops the rollout; default: 1. With fewer, the next wave begins',
    ...OF_GROUPS,
  },
  service: {
    service: 'only in the second form of the file',
    source: 'tables that are read',
    'source.validation_database':
      'the database with the snapshot for the definitions: `generated/schemas/<database>.<schema>.yaml`',
    'source.validation_env': 'an environment of the source group',
    'source.tables': 'each source table, with `{}` if it has no keys',
    [`${SOURCE_TABLE}.ignore_columns`]: 'columns that are not replicated',
    [`${SOURCE_TABLE}.include_columns`]:
      'only these columns are replicated, without the ignored ones',
    [`${SOURCE_TABLE}.key_columns`]:
      'the key of a table without a primary key, or with one that is not replicated or does not identify rows',
    [`${SOURCE_TABLE}.lossy_key_columns`]:
      'key columns to use although their type does not keep every value. No two rows may differ only in the lost part',
    [`${SOURCE_TABLE}.manual_migration_hints`]: 'ignored; those of a sink table are used',
    sinks: 'sinks of the tables; the key is `<sink group>.<database>`',
    'sinks.<sink>.tables': 'each final table; the key is `<schema>.<Table>`',
    [`${SINK_TABLE}.from`]: 'the source table, one of `source.tables`',
    [`${SINK_TABLE}.target_exists`]: 'true: the table exists already and is only checked',
    [`${SINK_TABLE}.replicate_structure`]:
      'true where `target_exists` is false, and false where it is true; any other value is an error',
    [`${SINK_TABLE}.columns`]:
      'source column to column of the table. Other columns keep their names, or are not checked with `target_exists: true`',
    [`${SINK_TABLE}.column_templates`]: 'extra columns, after those of the source',
    [`${SINK_TABLE}.column_templates[].template`]: 'a key of `templates`',
    [`${SINK_TABLE}.column_templates[].name`]:
      'name of the column, if it is not that of the template',
    [`${SINK_TABLE}.column_templates[].value`]: 'for the sink pipeline',
    [`${SINK_TABLE}.transforms`]: 'named in the header of the files; they run in the sink pipeline',
    [`${SINK_TABLE}.transforms[].bloblang_ref`]: 'address of the transform',
    [`${SINK_TABLE}.transforms[].expected_output_column`]:
      'a column that it fills: nullable text, unless the source has a column with this name',
    [`${SINK_TABLE}.delete_mode`]:
      '`hard`: a delete removes the row. `soft`: it sets `__deleted_at`',
    [`${SINK_TABLE}.staging`]: '`logged`: the staging table survives a crash and costs WAL',
    [`${SINK_TABLE}.pipeline`]: 'settings that differ from those of the sink group',
    ...ofPipeline(`${SINK_TABLE}.pipeline`),
    [`${SINK_TABLE}.indexes`]:
      'indexes that you want, in addition to those that every table has: [how](../indexes.md)',
    [`${SINK_TABLE}.indexes[].columns`]: 'columns of the final table, in the order of the index',
    [`${SINK_TABLE}.indexes[].unique`]:
      'no two rows have the same values; an event that violates this becomes a dead letter',
    [`${SINK_TABLE}.indexes[].where`]: 'SQL condition: only these rows are in the index',
    [`${SINK_TABLE}.indexes[].method`]: 'index method of PostgreSQL; only `btree` can be unique',
    [`${SINK_TABLE}.partition_by`]:
      'partitions of the final table, by one of `range`, `list` and `hash`: [how](../partitions.md)',
    [`${SINK_TABLE}.partition_by.range`]: 'columns of the primary key, for partitions by range',
    [`${SINK_TABLE}.partition_by.list`]: 'a column of the primary key, for partitions by list',
    [`${SINK_TABLE}.partition_by.hash`]: 'columns of the primary key, for partitions by hash',
    [`${SINK_TABLE}.partition_by.partitions`]:
      'partitions by range or list; omit it if users create them',
    [`${SINK_TABLE}.partition_by.partitions[].name`]:
      'the partition is called `<Table>_<name>`; without bounds it takes all other rows',
    [`${SINK_TABLE}.partition_by.partitions[].from`]:
      'first values of a range, one for each column; omit it for no lower bound',
    [`${SINK_TABLE}.partition_by.partitions[].to`]:
      'first values after a range, one for each column; omit it for no upper bound',
    [`${SINK_TABLE}.partition_by.partitions[].in`]: 'values of a list',
    [`${SINK_TABLE}.partition_by.count`]: 'number of partitions by hash',
    [`${SINK_TABLE}.backfill_from_default`]:
      'NOT NULL columns that get the constant default of the source where rows and events have no value: [how](../backfill.md)',
    [`${SINK_TABLE}.renames`]:
      'old name of a column, and its new name: [renamed columns](changes.md#renamed-columns)',
    [`${SINK_TABLE}.manual_migration_hints`]:
      'hints for a manual file, and `renames` in the form of the original tool',
    [`${SINK_TABLE}.manual_migration_hints.renames`]: 'as `renames` of the table',
    [`${SINK_TABLE}.manual_migration_hints.renames[].from`]: 'old name of a column',
    [`${SINK_TABLE}.manual_migration_hints.renames[].to`]: 'its new name',
    [`${SINK_TABLE}.manual_migration_hints.type_changes`]: 'conversions of values to another type',
    [`${SINK_TABLE}.manual_migration_hints.type_changes[].column`]: 'the column',
    [`${SINK_TABLE}.manual_migration_hints.type_changes[].using`]:
      'the expression after `USING` in a draft of `diff --scaffold-manual`',
    [`${SINK_TABLE}.manual_migration_hints.set_not_null`]:
      'statements to run before a column can be NOT NULL',
    [`${SINK_TABLE}.manual_migration_hints.set_not_null[].column`]: 'the column',
    [`${SINK_TABLE}.manual_migration_hints.set_not_null[].pre_sql`]:
      'the statement before `SET NOT NULL` in the draft',
  },
  'column-templates': {
    templates: 'each template by its name',
    [`${TEMPLATE}.name`]: 'name of the column',
    [`${TEMPLATE}.type`]: 'its type, for example `varchar(20)` or `timestamptz`',
    [`${TEMPLATE}.not_null`]: 'true: the column is NOT NULL',
    [`${TEMPLATE}.default`]: 'DEFAULT of the column; `false` and `0` are expressions too',
    [`${TEMPLATE}.description`]: 'for readers',
    [`${TEMPLATE}.value`]:
      'for the sink pipeline; required for a column that is NOT NULL and has no default',
  },
  'type-overrides': {
    types: 'source type (`datetime`, `nvarchar(max)`, `dbo.Url`) to the type of every such column',
    tables: 'the same for a source table',
    'tables.<table>.types': 'by source type in this table',
    'tables.<table>.columns': 'by column',
  },
};
