import type { Frame } from '../batch/session.ts';
import { raise } from '../engine/sql-server-error.ts';
import type { ColumnSpec } from '../engine/column-row.ts';
import { BIT, nvarchar, SYSNAME, type SqlValue } from '../tds/sql-type.ts';
import {
  capturedColumns,
  sourceColumns,
  sourceKey,
  type SourceColumn,
  type SourceKey,
} from './captured-columns.ts';
import {
  cdcContext,
  logEntry,
  requireOwner,
  sourceTable,
  type CdcContext,
  type SourceTable,
} from './cdc-context.ts';
import { addJobs } from './jobs.ts';
import { textArgument, type Procedure, type ProcedureResult } from './procedure.ts';

const MAX_INSTANCE_NAME = 100;
const MAX_INSTANCES = 2;
const CLUSTERED_COLUMNSTORE = 5;

/** sys.sp_cdc_enable_table, with its documented parameters. */
export const ENABLE_TABLE: Procedure = {
  name: 'sp_cdc_enable_table',
  parameters: [
    { name: 'source_schema', type: SYSNAME, fallback: undefined },
    { name: 'source_name', type: SYSNAME, fallback: undefined },
    { name: 'capture_instance', type: SYSNAME, fallback: null },
    { name: 'supports_net_changes', type: BIT, fallback: null },
    { name: 'role_name', type: SYSNAME, fallback: undefined },
    { name: 'index_name', type: SYSNAME, fallback: null },
    { name: 'captured_column_list', type: nvarchar(-1), fallback: null },
    { name: 'filegroup_name', type: SYSNAME, fallback: null },
    { name: 'allow_partition_switch', type: BIT, fallback: 1 },
  ],
  run: (args, frame) => enableTable(args, frame),
};

/** A capture instance that may be made. */
interface Instance {
  readonly name: string;
  readonly table: SourceTable;
  readonly key: SourceKey | undefined;
  readonly columns: readonly SourceColumn[];
  readonly supportsNetChanges: boolean;
}

function enableTable(args: ReadonlyMap<string, SqlValue>, frame: Frame): ProcedureResult {
  const context = cdcContext(frame);
  requireOwner(frame, context);
  const instance = checkInstance(args, frame, context);
  addInstance(context, instance, args);
  return { messages: addJobs(context) };
}

/** All that SQL Server refuses, in its order. */
function checkInstance(
  args: ReadonlyMap<string, SqlValue>,
  frame: Frame,
  context: CdcContext,
): Instance {
  const schema = required(args, 'source_schema');
  const tableName = required(args, 'source_name');
  if (textArgument(args, 'role_name')?.trim() === '') throw raise(22907);
  if (schema.toLowerCase() === 'cdc') throw raise(22974);
  const table = sourceTable(frame, context, schema, tableName);
  checkStorage(context, table);
  const { rows } = context;
  if (rows.find('cdc.change_tables', { source_object_id: table.id }).length >= MAX_INSTANCES) {
    throw raise(22962, [schema, tableName]);
  }
  const name = textArgument(args, 'capture_instance') ?? `${schema}_${tableName}`;
  if (name.length > MAX_INSTANCE_NAME) throw raise(22927, [name]);
  if (isInstance(context, name)) throw raise(22926, [name]);
  const key = sourceKey(context, table, textArgument(args, 'index_name'));
  const asked = args.get('supports_net_changes') ?? null;
  const supportsNetChanges = asked === null ? key !== undefined : asked === 1;
  if (supportsNetChanges && !key) throw raise(22939);
  const list = textArgument(args, 'captured_column_list');
  const columns = capturedColumns(sourceColumns(context, table), list, { table, key });
  const filegroup = textArgument(args, 'filegroup_name');
  if (filegroup !== undefined && filegroup.toLowerCase() !== 'primary') {
    throw raise(22973, [filegroup, context.database]);
  }
  return { name, table, key, columns, supportsNetChanges };
}

function required(args: ReadonlyMap<string, SqlValue>, name: string): string {
  const value = textArgument(args, name);
  if (value === undefined || value.trim() === '') throw raise(22963, [`@${name}`]);
  return value;
}

/** Tables in memory and clustered columnstores cannot be tracked. */
function checkStorage({ rows }: CdcContext, table: SourceTable): void {
  const [row] = rows.find('sys.tables', { object_id: table.id });
  if (row?.['is_memory_optimized'] === 1) throw raise(10794, ['sp_cdc_enable_table']);
  const [columnstore] = rows.find('sys.indexes', {
    object_id: table.id,
    type: CLUSTERED_COLUMNSTORE,
  });
  if (columnstore) {
    throw raise(35353, ['Change Data Capture', String(columnstore['name']), table.name]);
  }
}

function isInstance({ rows }: CdcContext, name: string): boolean {
  return rows
    .find('cdc.change_tables')
    .some((row) => String(row['capture_instance']).toLowerCase() === name.toLowerCase());
}

function addInstance(
  context: CdcContext,
  instance: Instance,
  args: ReadonlyMap<string, SqlValue>,
): void {
  const { rows, tables, now } = context;
  const { name, table, key, columns } = instance;
  const objectId = tables.addTable({
    name: `cdc.${name}_CT`,
    columns: changeTableColumns(columns),
    isMsShipped: true,
  });
  rows.insert('cdc.change_tables', {
    object_id: objectId,
    source_object_id: table.id,
    capture_instance: name,
    start_lsn: logEntry(context),
    supports_net_changes: instance.supportsNetChanges,
    role_name: textArgument(args, 'role_name')?.trim() ?? null,
    index_name: key?.indexName ?? null,
    filegroup_name: textArgument(args, 'filegroup_name') ?? null,
    create_date: now,
    partition_switch: args.get('allow_partition_switch') ?? 1,
  });
  columns.forEach((column, i) =>
    rows.insert('cdc.captured_columns', {
      object_id: objectId,
      column_name: column.name,
      column_id: column.id,
      column_type: column.type,
      column_ordinal: i + 1,
      is_computed: column.facets['is_computed'] ?? 0,
    }),
  );
  key?.columnIds.forEach((columnId, i) =>
    rows.insert('cdc.index_columns', {
      object_id: objectId,
      column_name: columns.find((column) => column.id === columnId)?.name ?? null,
      index_ordinal: i + 1,
      column_id: columnId,
    }),
  );
  rows.update('sys.tables', { object_id: table.id }, { is_tracked_by_cdc: true });
  const role = textArgument(args, 'role_name')?.trim();
  if (role !== undefined) addRole(context, role);
}

/** A gating role that is not there is made. */
function addRole({ rows }: CdcContext, role: string): void {
  const principals = rows.find('sys.database_principals');
  if (principals.some((row) => String(row['name']).toLowerCase() === role.toLowerCase())) return;
  const id =
    Math.max(
      ...principals.map((row) => Number(row['principal_id'])).filter((other) => other < 16_384),
    ) + 1;
  rows.insert('sys.database_principals', {
    name: role,
    principal_id: id,
    type: 'R',
    type_desc: 'DATABASE_ROLE',
  });
}

/** What a change table has before and after the captured columns, which are all nullable. */
function changeTableColumns(columns: readonly SourceColumn[]): readonly ColumnSpec[] {
  return [
    { name: '__$start_lsn', type: 'binary(10)', isNullable: false },
    { name: '__$end_lsn', type: 'binary(10)' },
    { name: '__$seqval', type: 'binary(10)', isNullable: false },
    { name: '__$operation', type: 'int', isNullable: false },
    { name: '__$update_mask', type: 'varbinary(128)' },
    ...columns.map((column) => ({ name: column.name, type: changeType(column) })),
    { name: '__$command_id', type: 'int' },
  ];
}

/** rowversion is held as binary(8) in a change table. */
function changeType({ type, facets }: SourceColumn): string {
  const bytes = Number(facets['max_length']);
  if (type === 'timestamp') return 'binary(8)';
  if (/^n(var)?char$/.test(type)) return `${type}(${bytes < 0 ? 'max' : bytes / 2})`;
  if (/^(var)?(char|binary)$/.test(type)) return `${type}(${bytes < 0 ? 'max' : bytes})`;
  if (type === 'decimal' || type === 'numeric') {
    return `${type}(${String(facets['precision'])}, ${String(facets['scale'])})`;
  }
  return /^(time|datetime2|datetimeoffset)$/.test(type)
    ? `${type}(${String(facets['scale'])})`
    : type;
}
