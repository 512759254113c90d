import type { Frame } from '../batch/session.ts';
import { raise } from '../engine/sql-server-error.ts';
import type { ColumnSpec } from '../engine/column-row.ts';
import { userTable } from '../engine/user-table.ts';
import { renderType, type SqlValue } from '../tds/sql-type.ts';
import type { ResultColumn } from '../tds/tokens.ts';
import { requireOwner, sourceTable, type CdcContext, type SourceTable } from './cdc-context.ts';
import { addLsn } from './log-sequence.ts';

const MAX_INSTANCE_NAME = 100;
const MAX_INSTANCES = 2;
const CLUSTERED_COLUMNSTORE = 5;

/** The index that identifies the rows of a source table. */
interface SourceKey {
  readonly indexName: string;
  readonly columns: readonly string[];
}

/** A valid new capture instance. */
interface Instance {
  readonly name: string;
  readonly table: SourceTable;
  readonly key: SourceKey | undefined;
  readonly columns: readonly ResultColumn[];
  readonly supportsNetChanges: boolean;
}

type Arguments = Readonly<Record<string, SqlValue>>;

/** Runs sys.sp_cdc_enable_table: creates a capture instance, or refuses like SQL Server. */
export function enableTable(args: Arguments, frame: Frame, context: CdcContext): void {
  requireOwner(frame, context);
  const role = textOf(args, 'role_name')?.trim();
  addInstance(context, checkInstance(args, frame, context), { args, role });
  const { rows } = context;
  if (role === undefined || rows.find('sys.database_principals', { name: role }).length > 0) return;
  const ids = rows.find('sys.database_principals').map((row) => Number(row['principal_id']));
  rows.insert('sys.database_principals', {
    ...{ name: role, principal_id: Math.max(...ids) + 1, type: 'R', type_desc: 'DATABASE_ROLE' },
  });
}

function textOf(args: Arguments, name: string): string | undefined {
  const value = args[name] ?? null;
  return value === null ? undefined : String(value);
}

/** Checks everything that SQL Server refuses, in its order. */
function checkInstance(args: Arguments, frame: Frame, context: CdcContext): Instance {
  const { rows, database } = context;
  if (textOf(args, 'role_name')?.trim() === '') throw raise(22907);
  const table = sourceTable(frame, context, args);
  checkStorage(context, table);
  const { id, schema, name: tableName } = table;
  if (rows.find('cdc.change_tables', { source_object_id: id }).length >= MAX_INSTANCES) {
    throw raise(22962, [schema, tableName]);
  }
  const name = textOf(args, 'capture_instance') ?? `${schema}_${tableName}`;
  if (name.length > MAX_INSTANCE_NAME) throw raise(22927, [name]);
  if (rows.find('cdc.change_tables', { capture_instance: name }).length > 0)
    throw raise(22926, [name]);
  const key = sourceKey(context, table, textOf(args, 'index_name'));
  const asked = args['supports_net_changes'] ?? null;
  const supportsNetChanges = asked === null ? key !== undefined : asked === 1;
  if (supportsNetChanges && !key) throw raise(22939);
  const all = userTable(frame.host.engine, { database, schema, name: tableName })?.columns ?? [];
  const columns = capturedColumns(all, textOf(args, 'captured_column_list'), { table, key });
  const filegroup = textOf(args, 'filegroup_name') ?? 'PRIMARY';
  if (filegroup.toLowerCase() !== 'primary') throw raise(22973, [filegroup, database]);
  return { name, table, key, columns, supportsNetChanges };
}

/** Refuses tables in memory and clustered columnstores. */
function checkStorage({ rows }: CdcContext, { id, name }: SourceTable): void {
  const [row] = rows.find('sys.tables', { object_id: id });
  if (row?.['is_memory_optimized'] === 1) throw raise(10794, ['sp_cdc_enable_table']);
  const [columnstore] = rows.find('sys.indexes', { object_id: id, type: CLUSTERED_COLUMNSTORE });
  if (columnstore) throw raise(35353, ['Change Data Capture', String(columnstore['name']), name]);
}

/**
 * Finds the requested index, else the primary key, else none. Throws 22928, and 22929 for an index that is not unique.
 */
function sourceKey(
  { rows }: CdcContext,
  { id, schema, name }: SourceTable,
  indexName: string | undefined,
): SourceKey | undefined {
  const wanted = indexName === undefined ? { is_primary_key: true } : { name: indexName };
  const [index] = rows.find('sys.indexes', { object_id: id, ...wanted });
  if (!index && indexName === undefined) return undefined;
  if (!index) throw raise(22928, [indexName ?? '', schema, name]);
  const found = String(index['name']);
  if (index['is_unique'] !== 1 || index['has_filter'] === 1)
    throw raise(22929, [found, schema, name]);
  const columns = rows
    .find('sys.index_columns', {
      object_id: id,
      index_id: index['index_id'] ?? 0,
      is_included_column: false,
    })
    .toSorted((a, b) => Number(a['key_ordinal']) - Number(b['key_ordinal']))
    .map(({ column_id = null }) => {
      const [column] = rows.find('sys.columns', { object_id: id, column_id });
      return String(column?.['name']);
    });
  return { indexName: found, columns };
}

/**
 * Selects the columns of @captured_column_list, `[a], b`, or all columns without a list. Throws 22930 and 22965, and
 * 22943 if a key column is missing.
 */
function capturedColumns(
  columns: readonly ResultColumn[],
  list: string | undefined,
  { table, key }: { readonly table: SourceTable; readonly key: SourceKey | undefined },
): readonly ResultColumn[] {
  if (list === undefined) return columns;
  const wanted = new Map(parseColumnList(list).map((name) => [name.toLowerCase(), name]));
  const captured = columns.filter(({ name }) => wanted.has(name.toLowerCase()));
  for (const { name } of captured) wanted.delete(name.toLowerCase());
  for (const name of wanted.values()) throw raise(22930, [name, table.schema, table.name]);
  const hasKey =
    key?.columns.every((name) => captured.some((column) => column.name === name)) ?? true;
  if (!hasKey) throw raise(22943);
  return captured;
}

/** Parses names separated by commas, with optional brackets or double quotes. */
function parseColumnList(list: string): readonly string[] {
  const names: string[] = [];
  const item = /\s*(?:\[((?:[^\]]|\]\])*)\]|"((?:[^"]|"")*)"|([^,[\]"]+))\s*(,|$)/y;
  while (item.lastIndex < list.length) {
    const match = item.exec(list);
    if (!match) throw raise(22965);
    const [, bracketed, quoted, bare = ''] = match;
    names.push(bracketed?.replaceAll(']]', ']') ?? quoted?.replaceAll('""', '"') ?? bare.trim());
    if (match[4] === '') break;
  }
  return names;
}

function addInstance(
  { rows, tables, now }: CdcContext,
  { name, table, key, columns, supportsNetChanges }: Instance,
  { args, role }: { readonly args: Arguments; readonly role: string | undefined },
): void {
  const objectId = tables.addTable({
    name: `cdc.${name}_CT`,
    columns: changeTableColumns(columns),
    isMsShipped: true,
  });
  rows.insert('cdc.change_tables', {
    ...{ object_id: objectId, source_object_id: table.id, capture_instance: name },
    ...{
      start_lsn: addLsn(rows, now),
      supports_net_changes: supportsNetChanges,
      role_name: role ?? null,
    },
    ...{ index_name: key?.indexName ?? null, create_date: now },
    filegroup_name: args['filegroup_name'] ?? null,
    partition_switch: args['allow_partition_switch'] ?? 1,
  });
  const source = new Map(
    rows.find('sys.columns', { object_id: table.id }).map((row) => [String(row['name']), row]),
  );
  const idOf = (column: string): SqlValue => source.get(column)?.['column_id'] ?? null;
  columns.forEach(({ name: column, type }, i) =>
    rows.insert('cdc.captured_columns', {
      ...{
        object_id: objectId,
        column_name: column,
        column_id: idOf(column),
        column_type: type.name,
      },
      ...{ column_ordinal: i + 1, is_computed: source.get(column)?.['is_computed'] ?? 0 },
    }),
  );
  key?.columns.forEach((column, i) =>
    rows.insert('cdc.index_columns', {
      ...{
        object_id: objectId,
        column_name: column,
        index_ordinal: i + 1,
        column_id: idOf(column),
      },
    }),
  );
  rows.update('sys.tables', { object_id: table.id }, { is_tracked_by_cdc: true });
}

/** Builds the columns of a change table: those before and after the captured columns, which are all nullable. */
function changeTableColumns(columns: readonly ResultColumn[]): readonly ColumnSpec[] {
  return [
    { name: '__$start_lsn', type: 'binary(10)', isNullable: false },
    { name: '__$end_lsn', type: 'binary(10)' },
    { name: '__$seqval', type: 'binary(10)', isNullable: false },
    { name: '__$operation', type: 'int', isNullable: false },
    { name: '__$update_mask', type: 'varbinary(128)' },
    ...columns.map(({ name, type }) => ({
      name,
      type: type.name === 'timestamp' ? 'binary(8)' : renderType(type),
    })),
    { name: '__$command_id', type: 'int' },
  ];
}
