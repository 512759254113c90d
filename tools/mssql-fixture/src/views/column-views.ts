import { databaseView, parseColumns, type SystemView } from './system-view.ts';

const COLUMN = `
  object_id int, name sysname, column_id int, system_type_id tinyint, user_type_id int, max_length smallint
  precision tinyint 0, scale tinyint 0, collation_name sysname, is_nullable bit 1, is_ansi_padded bit 1
  is_rowguidcol bit 0, is_identity bit 0, is_computed bit 0, is_filestream bit 0, is_replicated bit 0
  is_non_sql_subscribed bit 0, is_merge_published bit 0, is_dts_replicated bit 0, is_xml_document bit 0
  xml_collection_id int 0, default_object_id int 0, rule_object_id int 0, is_sparse bit 0, is_column_set bit 0
  generated_always_type tinyint 0, generated_always_type_desc nvarchar(60) 'NOT_APPLICABLE', encryption_type int
  encryption_type_desc nvarchar(64), encryption_algorithm_name sysname, column_encryption_key_id int
  column_encryption_key_database_name sysname, is_hidden bit 0, is_masked bit 0, graph_type int
  graph_type_desc nvarchar(60)
`;

/** What a view has beyond sys.columns is kept apart, under this name. */
const partOf = (name: string): string => `${name} part`;

/** sys.columns and further columns: the part, and the view over both. */
function extended(name: string, declaration: string): readonly SystemView[] {
  const extra = parseColumns(declaration);
  const part = databaseView(partOf(name), `object_id int, column_id int\n${declaration}`, [
    'object_id',
  ]);
  const extras = extra.map((column) => `p."${column.name}"`).join(', ');
  const select: SystemView['select'] = (of) =>
    `SELECT c.*, ${extras} FROM ${of('sys.columns')} AS c JOIN ${of(part.name)} AS p ` +
    'ON p.object_id = c.object_id AND p.column_id = c.column_id';
  const columns = [...parseColumns(COLUMN), ...extra];
  return [part, { name, scope: 'database', columns, indexed: [], select }];
}

/** The name that rows of a view are stored under: sys.identity_columns keeps only what sys.columns lacks. */
export function storedUnder(view: string): string {
  return /^sys\.(identity|computed)_columns$/i.test(view) ? partOf(view.toLowerCase()) : view;
}

const INDEXES = databaseView(
  'sys.indexes',
  `object_id int, name sysname, index_id int, type tinyint 1, type_desc nvarchar(60) 'CLUSTERED', is_unique bit 0
  data_space_id int 1, ignore_dup_key bit 0, is_primary_key bit 0, is_unique_constraint bit 0
  fill_factor tinyint 0, is_padded bit 0, is_disabled bit 0, is_hypothetical bit 0
  is_ignored_in_optimization bit 0, allow_row_locks bit 1, allow_page_locks bit 1, has_filter bit 0
  filter_definition nvarchar(max), compression_delay int, suppress_dup_key_messages bit 0, auto_created bit 0`,
  ['object_id'],
);

const PARTITIONS = databaseView(
  'sys.partitions',
  `partition_id bigint, object_id int, index_id int 1, partition_number int 1, hobt_id bigint, rows bigint 0
  filestream_filegroup_id smallint 0, data_compression tinyint 0, data_compression_desc nvarchar(60) 'NONE'`,
  ['object_id'],
);

const PARTITION_STATS: SystemView = {
  name: 'sys.dm_db_partition_stats',
  scope: 'database',
  columns: parseColumns(
    'partition_id bigint, object_id int, index_id int, partition_number int, row_count bigint',
  ),
  indexed: [],
  select: (of) =>
    `SELECT partition_id, object_id, index_id, partition_number, "rows" AS row_count FROM ${of('sys.partitions')}`,
};

const ALL_COLUMNS: SystemView = {
  name: 'sys.all_columns',
  scope: 'database',
  columns: parseColumns(COLUMN),
  indexed: [],
  select: (of) => `SELECT * FROM ${of('sys.columns')}`,
};

/** Views of types, columns and indexes. */
export const COLUMN_VIEWS: readonly SystemView[] = [
  databaseView(
    'sys.types',
    `name sysname, system_type_id tinyint, user_type_id int, schema_id int 4, principal_id int
    max_length smallint, precision tinyint 0, scale tinyint 0, collation_name sysname, is_nullable bit 1
    is_user_defined bit 0, is_assembly_type bit 0, default_object_id int 0, rule_object_id int 0
    is_table_type bit 0`,
    ['user_type_id'],
  ),
  databaseView('sys.columns', COLUMN, ['object_id', 'column_id']),
  ...extended(
    'sys.computed_columns',
    'definition nvarchar(max), uses_database_collation bit 1, is_persisted bit 0',
  ),
  ...extended(
    'sys.identity_columns',
    `seed_value sql_variant, increment_value sql_variant, last_value sql_variant
    is_not_for_replication bit 0`,
  ),
  ALL_COLUMNS,
  INDEXES,
  databaseView(
    'sys.index_columns',
    `object_id int, index_id int, index_column_id int, column_id int, key_ordinal tinyint 0
    partition_ordinal tinyint 0, is_descending_key bit 0, is_included_column bit 0`,
    ['object_id', 'index_id'],
  ),
  PARTITIONS,
  PARTITION_STATS,
];
