import type { Frame } from '../batch/session.ts';
import { raise } from '../engine/sql-server-error.ts';
import { SYSNAME, type SqlValue } from '../tds/sql-type.ts';
import { cdcContext, requireOwner, sourceTable } from './cdc-context.ts';
import { dropJobs } from './jobs.ts';
import { textArgument, type Procedure, type ProcedureResult } from './procedure.ts';

/** sys.sp_cdc_disable_table: one capture instance of a table, or `all`. */
export const DISABLE_TABLE: Procedure = {
  name: 'sp_cdc_disable_table',
  parameters: [
    { name: 'source_schema', type: SYSNAME, fallback: undefined },
    { name: 'source_name', type: SYSNAME, fallback: undefined },
    { name: 'capture_instance', type: SYSNAME, fallback: undefined },
  ],
  run: (args, frame) => disableTable(args, frame),
};

function disableTable(args: ReadonlyMap<string, SqlValue>, frame: Frame): ProcedureResult {
  const context = cdcContext(frame);
  requireOwner(frame, context);
  const { rows, tables } = context;
  const [schema, name, wanted] = ['source_schema', 'source_name', 'capture_instance'].map(
    (parameter) => {
      const value = textArgument(args, parameter);
      if (value === undefined || value === '') throw raise(22963, [`@${parameter}`]);
      return value;
    },
  ) as [string, string, string];
  const table = sourceTable(frame, context, schema, name);
  const instances = rows.find('cdc.change_tables', { source_object_id: table.id });
  if (instances.length === 0) throw raise(22985, [schema, name]);
  const chosen = instances.filter((row) =>
    [String(row['capture_instance']).toLowerCase(), 'all'].includes(wanted.toLowerCase()),
  );
  if (chosen.length === 0) throw raise(22960, [wanted, schema, name]);
  for (const row of chosen) {
    const objectId = row['object_id'] ?? null;
    for (const view of [
      'cdc.change_tables',
      'cdc.captured_columns',
      'cdc.index_columns',
      'cdc.ddl_history',
    ]) {
      rows.remove(view, { object_id: objectId });
    }
    tables.dropTable(`cdc.${String(row['capture_instance'])}_CT`);
  }
  if (chosen.length === instances.length) {
    rows.update('sys.tables', { object_id: table.id }, { is_tracked_by_cdc: false });
  }
  if (rows.find('cdc.change_tables').length === 0) dropJobs(context);
  return {};
}
