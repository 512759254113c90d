import { errorMessage } from '../batch/error-message.ts';
import type { Frame } from '../batch/session.ts';
import { raise } from '../engine/sql-server-error.ts';
import {
  BIGINT,
  BIT,
  nvarchar,
  renderType,
  SYSNAME,
  type SqlType,
  type SqlValue,
} from '../tds/sql-type.ts';
import type { ServerMessage } from '../tds/tokens.ts';
import { CDC_VIEWS } from '../engine/views.ts';
import { enableTable } from './enable-table.ts';
import { addLsn, renderLsn } from './log-sequence.ts';
import {
  cdcContext,
  requireOwner,
  requireSysadmin,
  sourceTable,
  type CdcContext,
} from './cdc-context.ts';

/** Values of parameters by name in lower case. */
export type ProcedureArguments = Readonly<Record<string, SqlValue>>;

/** A system procedure. It throws a SqlServerError for a refusal. */
export interface Procedure {
  /** Types of parameters by name in lower case, without `@`. A parameter with a fallback is optional. */
  readonly parameters: Readonly<Record<string, readonly [type: SqlType, fallback?: SqlValue]>>;
  /** Runs the procedure and returns its messages. */
  readonly run: (args: ProcedureArguments, frame: Frame) => readonly ServerMessage[];
}

const SYSTEM_DATABASE = /^(master|tempdb|model|msdb|distribution)$/i;
const SOURCE = { source_schema: [SYSNAME], source_name: [SYSNAME] } as const;

/** Supported system procedures by name. */
export const PROCEDURES: Readonly<Record<string, Procedure>> = {
  sp_cdc_enable_db: { parameters: {}, run: (_args, frame) => enableDatabase(frame) },
  sp_cdc_disable_db: { parameters: {}, run: (_args, frame) => disableDatabase(frame) },
  sp_cdc_enable_table: {
    parameters: {
      ...SOURCE,
      capture_instance: [SYSNAME, null],
      supports_net_changes: [BIT, null],
      role_name: [SYSNAME],
      index_name: [SYSNAME, null],
      captured_column_list: [nvarchar(-1), null],
      filegroup_name: [SYSNAME, null],
      allow_partition_switch: [BIT, 1],
    },
    run: (args, frame) => {
      enableTable(args, frame, cdcContext(frame));
      return [];
    },
  },
  sp_cdc_disable_table: {
    parameters: { ...SOURCE, capture_instance: [SYSNAME] },
    run: (args, frame) => disableTable(args, frame),
  },
  sp_cdc_cleanup_change_table: {
    parameters: {
      capture_instance: [SYSNAME],
      low_water_mark: [{ name: 'binary', length: 10 }],
      threshold: [BIGINT, 5000],
      fcleanupfailed: [BIT, null],
    },
    run: (args, frame) => cleanUp(args, frame),
  },
};

/** Runs sys.sp_cdc_enable_db: creates the schema, the user and the tables of `cdc`. */
function enableDatabase(frame: Frame): readonly ServerMessage[] {
  requireSysadmin(frame);
  const { database, rows, tables, isEnabled, now } = cdcContext(frame);
  if (SYSTEM_DATABASE.test(database)) throw raise(22989, [database]);
  if (isEnabled) return [errorMessage(raise(22905, [database]))];
  const isTaken = ['sys.schemas', 'sys.database_principals'].some(
    (view) => rows.find(view, { name: 'cdc' }).length > 0,
  );
  if (isTaken) throw raise(22906, [database]);
  rows.update('sys.databases', { name: database }, { is_cdc_enabled: true });
  rows.insert('sys.database_principals', {
    name: 'cdc',
    principal_id: 5,
    default_schema_name: 'cdc',
  });
  for (const view of CDC_VIEWS) {
    const columns = view.columns.map(({ name, type }) => ({ name, type: renderType(type) }));
    tables.addTable({ name: view.name, columns, isMsShipped: true });
  }
  addLsn(rows, now);
  return [];
}

/** Runs sys.sp_cdc_disable_db: removes everything that enabling the database and its tables created. */
function disableDatabase(frame: Frame): readonly ServerMessage[] {
  requireSysadmin(frame);
  const { database, rows, tables, isEnabled } = cdcContext(frame);
  if (!isEnabled) throw raise(22901, [database]);
  const [schema] = rows.find('sys.schemas', { name: 'cdc' });
  for (const { name } of rows.find('sys.tables', { schema_id: schema?.['schema_id'] ?? -1 })) {
    tables.dropTable(`cdc.${String(name)}`);
  }
  for (const view of CDC_VIEWS) rows.remove(view.name, {});
  rows.update('sys.tables', { is_tracked_by_cdc: true }, { is_tracked_by_cdc: false });
  rows.remove('sys.schemas', { name: 'cdc' });
  rows.remove('sys.database_principals', { name: 'cdc' });
  rows.update('sys.databases', { name: database }, { is_cdc_enabled: false });
  return [];
}

/** Runs sys.sp_cdc_disable_table: removes one capture instance of a table, or `all`. */
function disableTable(args: ProcedureArguments, frame: Frame): readonly ServerMessage[] {
  const context = cdcContext(frame);
  requireOwner(frame, context);
  const { rows, tables } = context;
  const table = sourceTable(frame, context, args);
  const wanted = String(args['capture_instance']).toLowerCase();
  const instances = rows.find('cdc.change_tables', { source_object_id: table.id });
  if (instances.length === 0) throw raise(22985, [table.schema, table.name]);
  const chosen = instances.filter((row) =>
    [String(row['capture_instance']).toLowerCase(), 'all'].includes(wanted),
  );
  if (chosen.length === 0) throw raise(22960, [wanted, table.schema, table.name]);
  for (const { object_id = null, capture_instance } of chosen) {
    for (const view of ['cdc.change_tables', 'cdc.captured_columns', 'cdc.index_columns']) {
      rows.remove(view, { object_id });
    }
    tables.dropTable(`cdc.${String(capture_instance)}_CT`);
  }
  if (chosen.length === instances.length) {
    rows.update('sys.tables', { object_id: table.id }, { is_tracked_by_cdc: false });
  }
  return [];
}

/** Runs sys.sp_cdc_cleanup_change_table: removes the changes before a low-water mark, and unneeded log entries. */
function cleanUp(args: ProcedureArguments, frame: Frame): readonly ServerMessage[] {
  const context = cdcContext(frame);
  requireOwner(frame, context);
  const { rows, database } = context;
  const name = String(args['capture_instance']);
  const [instance] = rows.find('cdc.change_tables', { capture_instance: name });
  if (!instance) throw raise(22920, [name, database]);
  const mark = args['low_water_mark'] ?? instance['start_lsn'] ?? null;
  checkMark(context, lsnText(mark), { name, start: lsnText(instance['start_lsn']) });
  rows.update('cdc.change_tables', { capture_instance: name }, { start_lsn: mark });
  const { tableRows } = frame.host.engine.database(database) ?? {};
  const changes = tableRows?.get(Number(instance['object_id'])) ?? [];
  const kept = changes.filter((row) => lsnText(row['__$start_lsn']) >= lsnText(mark));
  tableRows?.set(Number(instance['object_id']), kept);
  const starts = rows.find('cdc.change_tables').map((row) => lsnText(row['start_lsn']));
  const first = starts.reduce((a, b) => (a < b ? a : b));
  for (const { start_lsn = null } of rows.find('cdc.lsn_time_mapping')) {
    if (lsnText(start_lsn) < first) rows.remove('cdc.lsn_time_mapping', { start_lsn });
  }
  return [];
}

/** Throws 22957 for a mark outside of the instance's timeline, and 22964 for one that is not in the log. */
function checkMark(
  { rows }: CdcContext,
  mark: string,
  { name, start }: { readonly name: string; readonly start: string },
): void {
  const known = rows.find('cdc.lsn_time_mapping').map((row) => lsnText(row['start_lsn']));
  const last = known.reduce((a, b) => (a > b ? a : b), '');
  if (mark < start || mark > last) throw raise(22957, [mark, name, start, last]);
  if (!known.includes(mark)) throw raise(22964, [mark]);
}

function lsnText(value: SqlValue | undefined): string {
  return value instanceof Uint8Array ? renderLsn(value) : '';
}
