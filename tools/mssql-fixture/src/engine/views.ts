import { sqlType, type SqlValue } from '../tds/sql-type.ts';
import type { ResultColumn } from '../tds/tokens.ts';
import type { Row } from './relation.ts';

/** A value of a catalog file. */
export type CatalogValue = string | number | boolean | null;

/** A row of a view by column name. Omitted columns have their default value. */
export type CatalogRow = Readonly<Record<string, CatalogValue>>;

/** Rows of the views of one database, by view name: `{ "sys.tables": [{ "object_id": 1, "name": "Actor" }] }`. */
export type MssqlCatalog = Readonly<Record<string, readonly CatalogRow[]>>;

/** A column of a view with its default value. */
interface ViewColumn extends ResultColumn {
  readonly fallback: SqlValue;
}

/** A view of SQL Server. */
export interface View {
  /** Name with schema, `sys.tables`, or with the database if there is only one such view: `msdb.dbo.cdc_jobs`. */
  readonly name: string;
  readonly isOfServer: boolean;
  readonly columns: readonly ViewColumn[];
  /** Derives the rows of a view without its own rows from other views of the same database. */
  readonly derive?: (rowsOf: (view: string) => readonly Row[]) => readonly Row[];
}

const object = (type: string, description: string, more = ''): string => `
  name sysname, object_id int, principal_id int, schema_id int 1, parent_object_id int 0, type char(2) ${type}
  type_desc nvarchar(60) ${description}, create_date datetime 2020-01-01T00:00:00.000
  modify_date datetime 2020-01-01T00:00:00.000, is_ms_shipped bit 0, is_published bit 0, is_schema_published bit 0
  ${more}`;

const COLUMN = `
  object_id int, name sysname, column_id int, system_type_id tinyint, user_type_id int, max_length smallint
  precision tinyint 0, scale tinyint 0, collation_name sysname, is_nullable bit 1, is_ansi_padded bit 1
  is_rowguidcol bit 0, is_identity bit 0, is_computed bit 0, is_filestream bit 0, is_replicated bit 0
  is_xml_document bit 0, xml_collection_id int 0, default_object_id int 0, rule_object_id int 0, is_sparse bit 0
  is_column_set bit 0, generated_always_type tinyint 0, generated_always_type_desc nvarchar(60) NOT_APPLICABLE
  encryption_type int, encryption_type_desc nvarchar(64), is_hidden bit 0, is_masked bit 0`;

/** Columns of two views that extend sys.columns. They are stored separately. */
const COLUMN_PARTS: Readonly<Record<string, string>> = {
  'sys.computed_columns':
    'definition nvarchar(max), uses_database_collation bit 1, is_persisted bit 0',
  'sys.identity_columns':
    'seed_value sql_variant, increment_value sql_variant, last_value sql_variant, is_not_for_replication bit 0',
};

/** Columns of the views of each database: name, type, and the default if it is not NULL. */
const OF_DATABASE: Readonly<Record<string, string>> = {
  'sys.schemas': 'name sysname, schema_id int, principal_id int 1',
  'sys.tables': object(
    'U',
    'USER_TABLE',
    `max_column_id_used int 0, uses_ansi_nulls bit 1, is_replicated bit 0, is_merge_published bit 0
    is_tracked_by_cdc bit 0, lock_escalation_desc nvarchar(60) TABLE, is_filetable bit 0, is_memory_optimized bit 0
    durability tinyint 0, durability_desc nvarchar(60) SCHEMA_AND_DATA, temporal_type tinyint 0
    temporal_type_desc nvarchar(60) NON_TEMPORAL_TABLE, history_table_id int, is_external bit 0, is_node bit 0
    is_edge bit 0`,
  ),
  'sys.key_constraints': object(
    'PK',
    'PRIMARY_KEY_CONSTRAINT',
    'unique_index_id int 1, is_system_named bit 0, is_enforced bit 1',
  ),
  'sys.default_constraints': object(
    'D',
    'DEFAULT_CONSTRAINT',
    'parent_column_id int, definition nvarchar(max), is_system_named bit 0',
  ),
  'sys.foreign_keys': object(
    'F',
    'FOREIGN_KEY_CONSTRAINT',
    `referenced_object_id int, key_index_id int 1, is_disabled bit 0, is_not_trusted bit 0
    delete_referential_action_desc nvarchar(60) NO_ACTION, update_referential_action_desc nvarchar(60) NO_ACTION
    is_system_named bit 0`,
  ),
  'sys.foreign_key_columns': `constraint_object_id int, constraint_column_id int, parent_object_id int
    parent_column_id int, referenced_object_id int, referenced_column_id int`,
  'sys.types': `name sysname, system_type_id tinyint, user_type_id int, schema_id int 4, principal_id int
    max_length smallint, precision tinyint 0, scale tinyint 0, collation_name sysname, is_nullable bit 1
    is_user_defined bit 0, is_assembly_type bit 0, is_table_type bit 0`,
  'sys.columns': COLUMN,
  'sys.indexes': `object_id int, name sysname, index_id int, type tinyint 1, type_desc nvarchar(60) CLUSTERED
    is_unique bit 0, data_space_id int 1, ignore_dup_key bit 0, is_primary_key bit 0, is_unique_constraint bit 0
    is_disabled bit 0, is_hypothetical bit 0, has_filter bit 0, filter_definition nvarchar(max)`,
  'sys.index_columns': `object_id int, index_id int, index_column_id int, column_id int, key_ordinal tinyint 0
    partition_ordinal tinyint 0, is_descending_key bit 0, is_included_column bit 0`,
  'sys.partitions': `partition_id bigint, object_id int, index_id int 1, partition_number int 1, hobt_id bigint
    rows bigint 0`,
  'sys.database_principals': `name sysname, principal_id int, type char(1) S, type_desc nvarchar(60) SQL_USER
    default_schema_name sysname, is_fixed_role bit 0`,
  // The tables of schema cdc exist if the database is enabled.
  'cdc.change_tables': `object_id int, version int 0, source_object_id int, capture_instance sysname
    start_lsn binary(10), end_lsn binary(10), supports_net_changes bit 0, has_drop_pending bit, role_name sysname
    index_name sysname, filegroup_name sysname, create_date datetime, partition_switch bit 1`,
  'cdc.captured_columns': `object_id int, column_name sysname, column_id int, column_type sysname
    column_ordinal int, is_computed bit 0, masking_function nvarchar(4000)`,
  'cdc.index_columns': 'object_id int, column_name sysname, index_ordinal tinyint, column_id int',
  'cdc.ddl_history': `source_object_id int, object_id int, required_column_update bit, ddl_command nvarchar(max)
    ddl_lsn binary(10), ddl_time datetime`,
  'cdc.lsn_time_mapping': `start_lsn binary(10), tran_begin_time datetime, tran_end_time datetime
    tran_id varbinary(10), tran_begin_lsn binary(10)`,
};

const OF_SERVER: Readonly<Record<string, string>> = {
  'sys.databases': `name sysname, database_id int, create_date datetime 2020-01-01T00:00:00.000
    compatibility_level tinyint 150, collation_name sysname Danish_Norwegian_CI_AS, is_read_only bit 0
    state tinyint 0, state_desc nvarchar(60) ONLINE, snapshot_isolation_state tinyint 0
    is_read_committed_snapshot_on bit 0, recovery_model_desc nvarchar(60) FULL, is_cdc_enabled bit 0`,
  'sys.configurations': `configuration_id int, name nvarchar(35), value sql_variant, minimum sql_variant
    maximum sql_variant, value_in_use sql_variant, description nvarchar(255), is_dynamic bit 1, is_advanced bit 0`,
  'sys.dm_server_services': `servicename nvarchar(256), startup_type_desc nvarchar(256) Automatic
    status_desc nvarchar(256) Running, process_id int`,
  'sys.server_principals': `name sysname, principal_id int, type char(1) S, type_desc nvarchar(60) SQL_LOGIN
    is_disabled bit 0, default_database_name sysname master`,
};

/**
 * Parses a declaration of columns, separated by line breaks or commas: `is_identity bit 0, type_desc nvarchar(60)
 * USER_TABLE`.
 */
function parseColumns(declaration: string): readonly ViewColumn[] {
  const parts = declaration.split(/,(?![^(]*\))|\n/).map((part) => part.trim());
  return parts
    .filter((part) => part !== '')
    .map((part) => {
      const [, name = '', written = '', facet, usual] =
        /^(\S+)\s+(\w+)(?:\((\w+)\))?(?:\s+(.+))?$/.exec(part) ?? [];
      const facets = facet === undefined ? [] : [facet === 'max' ? -1 : Number(facet)];
      const type = sqlType(written, facets, 'declaration');
      if (!type) throw new Error(`no column: ${part}`);
      const fallback = usual === undefined ? null : /^\d+$/.test(usual) ? Number(usual) : usual;
      return { name, type, fallback };
    });
}

/** Builds a view of sys.columns with the columns of a part, for the columns in the part. */
function extended(name: string, declaration: string): View {
  const derive: View['derive'] = (rowsOf) => {
    const parts = rowsOf(partOf(name));
    if (parts.length === 0) return [];
    const keyOf = (objectId: unknown, columnId: unknown): string =>
      `${String(objectId)} ${String(columnId)}`;
    const columns = new Map(rowsOf('sys.columns').map((row) => [keyOf(row[0], row[2]), row]));
    return parts.flatMap(([objectId, columnId, ...more]) => {
      const column = columns.get(keyOf(objectId, columnId));
      return column ? [[...column, ...more]] : [];
    });
  };
  return { name, isOfServer: false, columns: parseColumns(`${COLUMN}, ${declaration}`), derive };
}

const partOf = (name: string): string => `${name} part`;

/**
 * Returns the name that rows of a view are stored under. sys.identity_columns stores only the columns that sys.columns
 * does not have.
 */
export function storedUnder(view: string): string {
  return view.toLowerCase() in COLUMN_PARTS ? partOf(view.toLowerCase()) : view;
}

const HEAD = parseColumns(object('U', 'USER_TABLE'));

const OBJECTS: View = {
  name: 'sys.objects',
  isOfServer: false,
  columns: HEAD,
  derive: (rowsOf) =>
    ['sys.tables', 'sys.key_constraints', 'sys.default_constraints', 'sys.foreign_keys'].flatMap(
      (view) => rowsOf(view).map((row) => row.slice(0, HEAD.length)),
    ),
};

const stored = (
  declarations: Readonly<Record<string, string>>,
  isOfServer: boolean,
): readonly View[] =>
  Object.entries(declarations).map(([name, text]) => ({
    name,
    isOfServer,
    columns: parseColumns(text),
  }));

/** All views by name. */
export const VIEWS: ReadonlyMap<string, View> = new Map(
  [
    ...stored(OF_DATABASE, false),
    ...stored(OF_SERVER, true),
    ...Object.entries(COLUMN_PARTS).map(([name, text]): View => {
      const columns = parseColumns(`object_id int, column_id int, ${text}`);
      return { name: partOf(name), isOfServer: false, columns };
    }),
    ...Object.entries(COLUMN_PARTS).map(([name, text]) => extended(name, text)),
    OBJECTS,
  ].map((view) => [view.name.toLowerCase(), view]),
);

/** The tables of change data capture. */
export const CDC_VIEWS: readonly View[] = [...VIEWS.values()].filter(({ name }) =>
  name.startsWith('cdc.'),
);
