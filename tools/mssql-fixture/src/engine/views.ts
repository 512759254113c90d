import { sqlType, type ResultColumn, type SqlValue } from '../tds/sql-type.ts';

/** The values of a row, in the order of its columns. */
export type Row = readonly SqlValue[];

/** Columns and rows. Changed rows are a new array. */
export interface Relation {
  readonly columns: readonly ResultColumn[];
  readonly rows: readonly Row[];
}

/** Values by column name. true and false are 1 and 0. */
export type RowValues = Readonly<Record<string, SqlValue | boolean>>;

/** A row by column name. */
export type FoundRow = Readonly<Record<string, SqlValue>>;

/** A column of a view with its default value. */
interface ViewColumn extends ResultColumn {
  readonly fallback: SqlValue;
}

/** A view of SQL Server. */
export interface View {
  /** Name with schema, `sys.tables`. */
  readonly name: string;
  /** True if its rows are the same in all databases. */
  readonly isOfServer: boolean;
  readonly columns: readonly ViewColumn[];
}

/** Columns that queries read: name, type, and the default if it is not NULL. */
const OF_DATABASE: Readonly<Record<string, string>> = {
  'sys.schemas': 'schema_id int, name sysname, principal_id int 1',
  'sys.types': `name sysname, system_type_id tinyint, user_type_id int, schema_id int 4, max_length smallint
    precision tinyint 0, scale tinyint 0, collation_name sysname, is_user_defined bit 0, is_assembly_type bit 0`,
  'sys.tables': `object_id int, name sysname, schema_id int 1, is_ms_shipped bit 0, is_tracked_by_cdc bit 0
    is_memory_optimized bit 0`,
  'sys.columns': `object_id int, column_id int, name sysname, system_type_id tinyint, user_type_id int
    max_length smallint, precision tinyint 0, scale tinyint 0, collation_name sysname, is_nullable bit 1
    is_identity bit 0, is_computed bit 0, is_column_set bit 0`,
  'sys.computed_columns': 'object_id int, column_id int, definition nvarchar(max)',
  'sys.default_constraints': 'parent_object_id int, parent_column_id int, definition nvarchar(max)',
  'sys.indexes': `object_id int, index_id int, name sysname, type tinyint 1, is_unique bit 0, is_primary_key bit 0
    is_disabled bit 0, is_hypothetical bit 0, has_filter bit 0, filter_definition nvarchar(max)`,
  'sys.index_columns': `object_id int, index_id int, column_id int, key_ordinal tinyint 0
    is_included_column bit 0`,
  'sys.foreign_keys': 'object_id int, name sysname, parent_object_id int, referenced_object_id int',
  'sys.foreign_key_columns': `constraint_object_id int, constraint_column_id int, parent_object_id int
    parent_column_id int, referenced_object_id int, referenced_column_id int`,
  'sys.database_principals': 'name sysname, principal_id int',
  // The tables of schema cdc exist if the database is enabled.
  'cdc.change_tables': `object_id int, source_object_id int, capture_instance sysname, start_lsn binary(10)
    supports_net_changes bit 0, create_date datetime`,
  'cdc.captured_columns': 'object_id int, column_name sysname, column_ordinal int',
  'cdc.lsn_time_mapping': `start_lsn binary(10), tran_begin_time datetime, tran_end_time datetime
    tran_id varbinary(10), tran_begin_lsn binary(10)`,
};

const OF_SERVER: Readonly<Record<string, string>> = {
  'sys.databases': `name sysname, database_id int, collation_name sysname Danish_Norwegian_CI_AS
    is_read_only bit 0, is_cdc_enabled bit 0`,
  'sys.configurations': 'configuration_id int, name nvarchar(35), value_in_use sql_variant',
  'sys.dm_server_services':
    'servicename nvarchar(256), status_desc nvarchar(256) Running, process_id int',
};

/**
 * Parses a declaration of columns, separated by line breaks or commas: `is_identity bit 0, status_desc nvarchar(256)
 * Running`.
 */
function parseColumns(declaration: string): readonly ViewColumn[] {
  return declaration.split(/[,\n]/).map((part) => {
    const [, name = '', written = '', facet, usual] =
      /^(\S+)\s+(\w+)(?:\((\w+)\))?(?:\s+(.+))?$/.exec(part.trim()) ?? [];
    const facets = facet === undefined ? [] : [facet === 'max' ? -1 : Number(facet)];
    const type = sqlType(written, facets, 'declaration');
    if (!type) throw new Error(`no column: ${part}`);
    const fallback = usual === undefined ? null : /^\d+$/.test(usual) ? Number(usual) : usual;
    return { name, type, fallback };
  });
}

/** All views by name. */
export const VIEWS: ReadonlyMap<string, View> = new Map(
  Object.entries({ ...OF_DATABASE, ...OF_SERVER }).map(([name, text]) => [
    name,
    { name, isOfServer: name in OF_SERVER, columns: parseColumns(text) },
  ]),
);
