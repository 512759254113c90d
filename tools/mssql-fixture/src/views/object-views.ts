import { databaseView, parseColumns, type SystemView } from './system-view.ts';

/** The columns that every view of objects begins with. */
const OBJECT = (type: string, description: string): string => `
  name sysname
  object_id int
  principal_id int
  schema_id int 1
  parent_object_id int 0
  type char(2) '${type}'
  type_desc nvarchar(60) '${description}'
  create_date datetime '2020-01-01T00:00:00.000'
  modify_date datetime '2020-01-01T00:00:00.000'
  is_ms_shipped bit 0
  is_published bit 0
  is_schema_published bit 0
`;

const TABLES = databaseView(
  'sys.tables',
  `${OBJECT('U', 'USER_TABLE')}
  lob_data_space_id int 0, filestream_data_space_id int, max_column_id_used int 0, lock_on_bulk_load bit 0
  uses_ansi_nulls bit 1, is_replicated bit 0, has_replication_filter bit 0, is_merge_published bit 0
  is_sync_tran_subscribed bit 0, has_unchecked_assembly_data bit 0, text_in_row_limit int 0
  large_value_types_out_of_row bit 0, is_tracked_by_cdc bit 0, lock_escalation tinyint 0
  lock_escalation_desc nvarchar(60) 'TABLE', is_filetable bit 0, is_memory_optimized bit 0, durability tinyint 0
  durability_desc nvarchar(60) 'SCHEMA_AND_DATA', temporal_type tinyint 0
  temporal_type_desc nvarchar(60) 'NON_TEMPORAL_TABLE', history_table_id int
  is_remote_data_archive_enabled bit 0, is_external bit 0, history_retention_period int
  history_retention_period_unit int, history_retention_period_unit_desc nvarchar(10), is_node bit 0, is_edge bit 0`,
  ['object_id', 'name'],
);

const VIEWS = databaseView(
  'sys.views',
  `${OBJECT('V', 'VIEW')}
  is_replicated bit 0, has_replication_filter bit 0, has_opaque_metadata bit 0
  has_unchecked_assembly_data bit 0, with_check_option bit 0, is_date_correlation_view bit 0
  is_tracked_by_cdc bit 0`,
);

const KEY_CONSTRAINTS = databaseView(
  'sys.key_constraints',
  `${OBJECT('PK', 'PRIMARY_KEY_CONSTRAINT')}
  unique_index_id int 1, is_system_named bit 0, is_enforced bit 1`,
  ['parent_object_id'],
);

const DEFAULT_CONSTRAINTS = databaseView(
  'sys.default_constraints',
  `${OBJECT('D', 'DEFAULT_CONSTRAINT')}
  parent_column_id int, definition nvarchar(max), is_system_named bit 0`,
  ['object_id', 'parent_object_id'],
);

const CHECK_CONSTRAINTS = databaseView(
  'sys.check_constraints',
  `${OBJECT('C', 'CHECK_CONSTRAINT')}
  is_disabled bit 0, is_not_for_replication bit 0, is_not_trusted bit 0, parent_column_id int 0
  definition nvarchar(max), uses_database_collation bit 1, is_system_named bit 0`,
);

const FOREIGN_KEYS = databaseView(
  'sys.foreign_keys',
  `${OBJECT('F', 'FOREIGN_KEY_CONSTRAINT')}
  referenced_object_id int, key_index_id int 1, is_disabled bit 0, is_not_for_replication bit 0
  is_not_trusted bit 0, delete_referential_action tinyint 0
  delete_referential_action_desc nvarchar(60) 'NO_ACTION', update_referential_action tinyint 0
  update_referential_action_desc nvarchar(60) 'NO_ACTION', is_system_named bit 0`,
);

const FOREIGN_KEY_COLUMNS = databaseView(
  'sys.foreign_key_columns',
  `constraint_object_id int, constraint_column_id int, parent_object_id int, parent_column_id int
  referenced_object_id int, referenced_column_id int`,
  ['constraint_object_id'],
);

const ORIGINS = [
  'sys.tables',
  'sys.views',
  'sys.key_constraints',
  'sys.default_constraints',
  'sys.check_constraints',
  'sys.foreign_keys',
];

/** sys.objects and sys.all_objects: what the other views have, in one. */
function objects(name: string): SystemView {
  const columns = parseColumns(OBJECT('U', 'USER_TABLE'));
  const list = columns.map((column) => `"${column.name}"`).join(', ');
  const select: SystemView['select'] = (of) =>
    ORIGINS.map((origin) => `SELECT ${list} FROM ${of(origin)}`).join(' UNION ALL ');
  return { name, scope: 'database', columns, indexed: [], select };
}

/** Views of schemas' objects: tables, constraints, keys. */
export const OBJECT_VIEWS: readonly SystemView[] = [
  databaseView('sys.schemas', 'name sysname, schema_id int, principal_id int 1', ['schema_id']),
  TABLES,
  VIEWS,
  KEY_CONSTRAINTS,
  DEFAULT_CONSTRAINTS,
  CHECK_CONSTRAINTS,
  FOREIGN_KEYS,
  FOREIGN_KEY_COLUMNS,
  databaseView('sys.sql_modules', 'object_id int, definition nvarchar(max), is_schema_bound bit 0'),
  databaseView(
    'sys.extended_properties',
    `class tinyint 1, class_desc nvarchar(60) 'OBJECT_OR_COLUMN', major_id int, minor_id int 0, name sysname
    value sql_variant`,
  ),
  databaseView(
    'sys.periods',
    `name sysname 'SYSTEM_TIME', period_type tinyint 1, period_type_desc nvarchar(60) 'SYSTEM_TIME_PERIOD'
    object_id int, start_column_id int, end_column_id int`,
  ),
  objects('sys.objects'),
  objects('sys.all_objects'),
];
