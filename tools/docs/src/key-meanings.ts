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
  '<group>.description': 'for people',
  '<group>.environment_aware': 'accepted; every group has environments here',
  '<group>.envs': 'environments of the group; without it, those that its sources have',
  '<group>.validation_env': 'the environment whose database stands for all of the group',
  '<group>.database_ref': 'the database that stands for all of the group (not used yet)',
  '<group>.include_pattern': 'databases that belong to the group (not used yet)',
  '<group>.database_exclude_patterns': 'databases that do not (not used yet)',
  '<group>.schema_exclude_patterns':
    'schemas that no service may name; searched in the name, without case in SQL Server',
  '<group>.table_include_patterns':
    'where it is given, only tables that one of them finds may be named',
  '<group>.table_exclude_patterns': 'tables that no service may name',
  '<group>.servers': 'at least one',
  [`${SERVER}.host`]: 'text, with `${NAME}` for a variable of the environment',
  [`${SERVER}.port`]: 'from 1 to 65535, or `${NAME}`',
  [`${SERVER}.user`]: 'as `host`',
  [`${SERVER}.password`]: 'as `host`; the variable may be set to nothing',
  [`${SERVER}.encrypt`]: 'SQL Server: TLS for all of the connection',
  [`${SERVER}.trust_server_certificate`]: 'SQL Server: accept any certificate',
  [`${SERVER}.sslmode`]:
    'PostgreSQL: TLS as libpq has it; without it `verify-full`: the certificate must be trusted and for this host',
  [`${SERVER}.ca_file`]:
    'certificates (PEM) of the authorities that may sign the server’s, relative to the repo; without it those that Node trusts',
  '<group>.sources':
    'customers (`db-per-tenant`), services (`db-shared`), or the target databases of a sink group',
  '<group>.sources.<source>.schemas': 'schemas of the database',
  [`${ENVIRONMENT}.server`]: 'one of `servers`; other keys beside these four are left alone',
  [`${ENVIRONMENT}.database`]: 'name of the database in this environment',
  [`${ENVIRONMENT}.target_sink_env`]:
    'the environment of the sink that it feeds; without it, the one of the same name',
  [`${ENVIRONMENT}.customer_id`]:
    'for the sink pipeline; required where the value of a column template uses it',
};

/** Builds the meanings of pipeline keys under a key of a group or a table. */
function ofPipeline(path: string): Readonly<Record<string, string>> {
  return {
    [`${path}.writer`]:
      'what inserts: `bento` (Redpanda Connect too: all parameters are text), Debezium’s or Confluent’s JDBC sink; without it `bento`',
    [`${path}.events`]:
      'a name for the five keys below: `debezium`: Debezium’s defaults. `recommended`: what is exact with the writer. `bento-sql-raw`: Bento reads the change tables of SQL Server',
    [`${path}.time_precision_mode`]:
      'as Debezium’s `time.precision.mode`; `rfc3339`: as Go writes times',
    [`${path}.decimal_handling_mode`]: 'as Debezium’s `decimal.handling.mode`',
    [`${path}.binary_handling_mode`]: 'as Debezium’s `binary.handling.mode`',
    [`${path}.interval_handling_mode`]: 'as Debezium’s `interval.handling.mode`',
    [`${path}.unavailable_value_placeholder`]:
      'as Debezium’s `unavailable.value.placeholder`; without it `__debezium_unavailable_value`',
    [`${path}.truncate`]:
      'what a TRUNCATE event does: it becomes a dead letter, or empties the table up to its position; without it `dead_letter`',
    [`${path}.positions`]:
      'what orders events: `offset`: partition and offset of Kafka. `lsn`: the commit LSN of SQL Server, without Kafka; staging is logged then. Without it `offset`',
    [`${path}.column_names`]:
      '`ascii`: columns without letters as `ø`, which become `o`; without it as at the source',
  };
}

/** Meaning of each key, in words of the glossary. */
export const MEANINGS: { readonly [F in ConfigFile]: Readonly<Record<string, string>> } = {
  'source-groups': {
    '<group>.type': 'what the sources are',
    '<group>.signal_table':
      'by which `reload signal` asks Debezium for a snapshot: a table of each database with the columns `id varchar(100)`, `type varchar(32)`, `data` (a long text); `enable-cdc` captures it, and generated connectors of one database read it',
    ...OF_GROUPS,
  },
  'sink-groups': {
    '<group>.source_group': 'the source group that feeds it',
    '<group>.type': 'always PostgreSQL',
    '<group>.pipeline':
      'what writes events to the staging tables of the group; without it values are taken as PostgreSQL reads them',
    ...ofPipeline('<group>.pipeline'),
    '<group>.waves':
      'parts of a rollout, in order: `apply` begins one when the one before is done. Every customer is in exactly one',
    '<group>.waves[].name': 'for `--wave` and for output',
    '<group>.waves[].customers':
      'customers of the source group (`db-shared`: services); one wave may leave it out and has all that no other names',
    '<group>.waves[].jobs':
      'customers that are worked on in parallel; `--jobs` counts more; without it 4',
    '<group>.waves[].pause': 'how long `apply` waits after the wave: `30s`, `10m`, `1h`',
    '<group>.waves[].stop_after':
      'number of failed customers that stops the rollout; without it 1. With fewer, the next wave begins',
    ...OF_GROUPS,
  },
  service: {
    service: 'only in the second form of the file',
    source: 'what is read',
    'source.validation_database':
      'the database whose snapshot the definitions are made from: `generated/schemas/<database>.<schema>.yaml`',
    'source.validation_env': 'an environment of the source group',
    'source.tables': 'each source table, `{}` where there is no more to say',
    [`${SOURCE_TABLE}.ignore_columns`]: 'columns that are not replicated',
    [`${SOURCE_TABLE}.include_columns`]: 'only these columns are, less the ignored ones',
    [`${SOURCE_TABLE}.key_columns`]:
      'the key of a table that has no primary key, or none that is replicated and tells rows apart',
    [`${SOURCE_TABLE}.lossy_key_columns`]:
      'key columns that are used although their type does not keep every value: no two rows differ by what is lost',
    [`${SOURCE_TABLE}.manual_migration_hints`]:
      'accepted and left alone; those of a sink table are used',
    sinks: 'where it goes; the key is `<sink group>.<database>`',
    'sinks.<sink>.tables': 'each final table; the key is `<schema>.<Table>`',
    [`${SINK_TABLE}.from`]: 'the source table, one of `source.tables`',
    [`${SINK_TABLE}.target_exists`]: 'true: the table is there already and is only checked',
    [`${SINK_TABLE}.replicate_structure`]:
      'true where `target_exists` is false, and false where it is true; any other value is an error',
    [`${SINK_TABLE}.columns`]:
      'source column to column of the table. Columns that are not here keep their names, or go nowhere with `target_exists: true`',
    [`${SINK_TABLE}.column_templates`]: 'extra columns, behind those of the source',
    [`${SINK_TABLE}.column_templates[].template`]: 'a key of `templates`',
    [`${SINK_TABLE}.column_templates[].name`]: 'name of the column, where it is not the template’s',
    [`${SINK_TABLE}.column_templates[].value`]: 'for the sink pipeline',
    [`${SINK_TABLE}.transforms`]: 'named in the header of the files; they run in the sink pipeline',
    [`${SINK_TABLE}.transforms[].bloblang_ref`]: 'where the transform is',
    [`${SINK_TABLE}.transforms[].expected_output_column`]:
      'a column that it makes: nullable text, unless the source has a column of that name',
    [`${SINK_TABLE}.delete_mode`]:
      '`hard`: a delete removes the row. `soft`: it sets `__deleted_at`',
    [`${SINK_TABLE}.staging`]: '`logged`: the staging table survives a crash and costs WAL',
    [`${SINK_TABLE}.pipeline`]: 'what is another way than in the sink group',
    ...ofPipeline(`${SINK_TABLE}.pipeline`),
    [`${SINK_TABLE}.indexes`]:
      'indexes that you want, beside those that every table has: [how](../indexes.md)',
    [`${SINK_TABLE}.indexes[].columns`]: 'columns of the final table, in the order of the index',
    [`${SINK_TABLE}.indexes[].unique`]:
      'no two rows have the same values; an event that would break that goes to the dead letters',
    [`${SINK_TABLE}.indexes[].where`]: 'SQL condition: only these rows are in the index',
    [`${SINK_TABLE}.indexes[].method`]: 'how PostgreSQL stores it; only `btree` can be unique',
    [`${SINK_TABLE}.partition_by`]:
      'partitions of the final table, by one of `range`, `list` and `hash`: [how](../partitions.md)',
    [`${SINK_TABLE}.partition_by.range`]: 'columns of the primary key, for partitions by range',
    [`${SINK_TABLE}.partition_by.list`]: 'a column of the primary key, for partitions by list',
    [`${SINK_TABLE}.partition_by.hash`]: 'columns of the primary key, for partitions by hash',
    [`${SINK_TABLE}.partition_by.partitions`]:
      'partitions by range or list; leave it out if users create them',
    [`${SINK_TABLE}.partition_by.partitions[].name`]:
      'the partition is called `<Table>_<name>`; without bounds it takes all other rows',
    [`${SINK_TABLE}.partition_by.partitions[].from`]:
      'first values of a range, one for each column; left out: no lower bound',
    [`${SINK_TABLE}.partition_by.partitions[].to`]:
      'first values behind a range, one for each column; left out: no upper bound',
    [`${SINK_TABLE}.partition_by.partitions[].in`]: 'values of a list',
    [`${SINK_TABLE}.partition_by.count`]: 'number of partitions by hash',
    [`${SINK_TABLE}.backfill_from_default`]:
      'NOT NULL columns that get the constant default of the source where rows and events have no value: [how](../backfill.md)',
    [`${SINK_TABLE}.renames`]:
      'the name that a column had before, and the one that it has now: [renamed columns](changes.md#renamed-columns)',
    [`${SINK_TABLE}.manual_migration_hints`]:
      'the same in the form of the original tool, and what a manual file is to do',
    [`${SINK_TABLE}.manual_migration_hints.renames`]: 'as `renames` of the table',
    [`${SINK_TABLE}.manual_migration_hints.renames[].from`]: 'name that a column had before',
    [`${SINK_TABLE}.manual_migration_hints.renames[].to`]: 'name that it has now',
    [`${SINK_TABLE}.manual_migration_hints.type_changes`]: 'how values get into another type',
    [`${SINK_TABLE}.manual_migration_hints.type_changes[].column`]: 'the column',
    [`${SINK_TABLE}.manual_migration_hints.type_changes[].using`]:
      'the expression behind `USING` in a manual file that `diff --scaffold-manual` begins',
    [`${SINK_TABLE}.manual_migration_hints.set_not_null`]:
      'what a column needs before it can be NOT NULL',
    [`${SINK_TABLE}.manual_migration_hints.set_not_null[].column`]: 'the column',
    [`${SINK_TABLE}.manual_migration_hints.set_not_null[].pre_sql`]:
      'the statement in front of `SET NOT NULL` there',
  },
  'column-templates': {
    templates: 'each template by its name',
    [`${TEMPLATE}.name`]: 'name of the column',
    [`${TEMPLATE}.type`]: 'its type; spellings as `varchar(20)` or `timestamptz` are understood',
    [`${TEMPLATE}.not_null`]: 'whether the column is NOT NULL',
    [`${TEMPLATE}.default`]: 'DEFAULT of the column; `false` and `0` are expressions too',
    [`${TEMPLATE}.description`]: 'for people',
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
