import type { Frame } from '../batch/session.ts';
import { raise } from '../engine/sql-server-error.ts';
import {
  BIT,
  DATETIME,
  INT,
  NVARCHAR_MAX,
  SYSNAME,
  type SqlType,
  type SqlValue,
} from '../tds/sql-type.ts';
import { cdcContext, requireOwner, type CdcContext } from './cdc-context.ts';
import { textArgument, type Procedure, type ProcedureResult } from './procedure.ts';

const LSN: SqlType = { name: 'binary', length: 10 };

/** Columns of the result that are columns of cdc.change_tables. */
const CHANGE_TABLE_COLUMNS = [
  { name: 'capture_instance', type: SYSNAME },
  { name: 'object_id', type: INT },
  { name: 'source_object_id', type: INT },
  { name: 'start_lsn', type: LSN },
  { name: 'end_lsn', type: LSN },
  { name: 'supports_net_changes', type: BIT },
  { name: 'has_drop_pending', type: BIT },
  { name: 'role_name', type: SYSNAME },
  { name: 'index_name', type: SYSNAME },
  { name: 'filegroup_name', type: SYSNAME },
  { name: 'create_date', type: DATETIME },
] as const;

/** sys.sp_cdc_help_change_data_capture: the capture instances of the database, or of one table. */
export const HELP_CHANGE_DATA_CAPTURE: Procedure = {
  name: 'sp_cdc_help_change_data_capture',
  parameters: [
    { name: 'source_schema', type: SYSNAME, fallback: null },
    { name: 'source_name', type: SYSNAME, fallback: null },
  ],
  run: (args, frame) => help(args, frame),
};

function help(args: ReadonlyMap<string, SqlValue>, frame: Frame): ProcedureResult {
  const context = cdcContext(frame);
  requireOwner(frame, context);
  const { rows } = context;
  const schema = textArgument(args, 'source_schema');
  const name = textArgument(args, 'source_name');
  if ((schema === undefined) !== (name === undefined)) throw raise(22972);
  const found = rows.find('cdc.change_tables').flatMap((instance) => {
    const [table] = rows.find('sys.tables', { object_id: instance['source_object_id'] ?? null });
    const [owner] = rows.find('sys.schemas', { schema_id: table?.['schema_id'] ?? null });
    const names = [String(owner?.['name']), String(table?.['name'])] as const;
    const isWanted = name === undefined || (names[0] === schema && names[1] === name);
    return isWanted ? [rowOf(context, instance, names)] : [];
  });
  const columns = [
    { name: 'source_schema', type: SYSNAME },
    { name: 'source_table', type: SYSNAME },
    ...CHANGE_TABLE_COLUMNS,
    { name: 'index_column_list', type: NVARCHAR_MAX },
    { name: 'captured_column_list', type: NVARCHAR_MAX },
  ];
  return { results: [{ columns, rows: found }] };
}

function rowOf(
  { rows }: CdcContext,
  instance: Readonly<Record<string, SqlValue>>,
  names: readonly [schema: string, table: string],
): readonly SqlValue[] {
  const list = (view: string): string | null => {
    const columns = rows.find(view, { object_id: instance['object_id'] ?? null });
    const quoted = columns.map((row) => `[${String(row['column_name']).replaceAll(']', ']]')}]`);
    return quoted.length === 0 ? null : quoted.join(', ');
  };
  return [
    ...names,
    ...CHANGE_TABLE_COLUMNS.map((column) => instance[column.name] ?? null),
    list('cdc.index_columns'),
    list('cdc.captured_columns'),
  ];
}
