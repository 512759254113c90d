import { errorMessage } from '../batch/error-message.ts';
import type { Frame } from '../batch/session.ts';
import { raise } from '../engine/sql-server-error.ts';
import { CDC_VIEWS } from '../views/cdc-views.ts';
import { renderType } from '../engine/scalar-functions.ts';
import { cdcContext, logEntry, requireSysadmin, type CdcContext } from './cdc-context.ts';
import { dropJobs } from './jobs.ts';
import type { Procedure, ProcedureResult } from './procedure.ts';

const SYSTEM_DATABASE = /^(master|tempdb|model|msdb|distribution)$/i;

/** sys.sp_cdc_enable_db: the schema, the user and the tables of `cdc`. */
export const ENABLE_DATABASE: Procedure = {
  name: 'sp_cdc_enable_db',
  parameters: [],
  run: (_args, frame) => enableDatabase(frame),
};

/** sys.sp_cdc_disable_db: everything that enabling and its tables brought is gone. */
export const DISABLE_DATABASE: Procedure = {
  name: 'sp_cdc_disable_db',
  parameters: [],
  run: (_args, frame) => disableDatabase(frame),
};

function enableDatabase(frame: Frame): ProcedureResult {
  requireSysadmin(frame);
  const context = cdcContext(frame);
  const { database, rows, tables } = context;
  if (SYSTEM_DATABASE.test(database)) throw raise(22989, [database]);
  if (context.isEnabled) return { messages: [errorMessage(raise(22905, [database]))] };
  const isTaken =
    rows.find('sys.schemas', { name: 'cdc' }).length > 0 ||
    rows.find('sys.database_principals', { name: 'cdc' }).length > 0;
  if (isTaken) throw raise(22906, [database]);
  rows.update('sys.databases', { name: database }, { is_cdc_enabled: true });
  const ids = rows.find('sys.database_principals').map((row) => Number(row['principal_id']));
  const principalId = Math.max(...ids.filter((id) => id < 16_384)) + 1;
  rows.insert('sys.database_principals', {
    name: 'cdc',
    principal_id: principalId,
    default_schema_name: 'cdc',
  });
  for (const view of CDC_VIEWS) {
    const columns = view.columns.map(({ name, type }) => ({
      name,
      type: typeText(renderType(type)),
    }));
    tables.addTable({ name: view.name, columns, isMsShipped: true });
  }
  const shared = [
    { name: 'tabid', type: 'int' },
    { name: 'typeid', type: 'smallint' },
  ];
  tables.addTable({ name: 'dbo.systranschemas', columns: shared, isMsShipped: true });
  logEntry(context);
  return {};
}

/** `nvarchar(-1)` of the engine is `nvarchar(max)`. */
function typeText(type: string): string {
  return type.replace('(-1)', '(max)');
}

function disableDatabase(frame: Frame): ProcedureResult {
  requireSysadmin(frame);
  const context = cdcContext(frame);
  const { database, rows, tables } = context;
  if (!context.isEnabled) throw raise(22901, [database]);
  rows.update('sys.tables', { is_tracked_by_cdc: true }, { is_tracked_by_cdc: false });
  for (const name of cdcTables(context)) tables.dropTable(name);
  tables.dropTable('dbo.systranschemas');
  for (const view of CDC_VIEWS) rows.remove(view.name, {});
  rows.remove('sys.schemas', { name: 'cdc' });
  rows.remove('sys.database_principals', { name: 'cdc' });
  rows.update('sys.databases', { name: database }, { is_cdc_enabled: false });
  dropJobs(context);
  return {};
}

function cdcTables({ rows }: CdcContext): readonly string[] {
  const [schema] = rows.find('sys.schemas', { name: 'cdc' });
  const schemaId = schema?.['schema_id'] ?? -1;
  return rows
    .find('sys.tables', { schema_id: schemaId })
    .map((row) => `cdc.${String(row['name'])}`);
}
