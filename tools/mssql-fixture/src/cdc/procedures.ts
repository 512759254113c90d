import { isCdcEnabled, parseNames } from '../batch/resolve-relation.ts';
import { hasDatabaseRole, isSysadmin, type BatchEvent, type Frame } from '../batch/session.ts';
import { messageOf, raise, SqlServerError } from '../engine/sql-server-error.ts';
import { editTables, schemaIdOf, tableId, userTable } from '../engine/tables.ts';
import type { ColumnSpec } from '../engine/system-types.ts';
import type { Argument } from '../tds/parse-request.ts';
import { renderTime, renderType, type ResultColumn, type SqlValue } from '../tds/sql-type.ts';
import { addLsn, renderLsn } from './log-sequence.ts';

/** Values of parameters by name in lower case. */
type Arguments = Readonly<Record<string, SqlValue>>;

/** A system procedure. It throws a SqlServerError for a refusal. */
interface Procedure {
  /** Names of parameters in lower case, without `@`. */
  readonly required: readonly string[];
  /** Parameters that need not be given. `threshold` is ignored, as is `role_name`. */
  readonly optional?: readonly string[];
  readonly run: (args: Arguments, frame: Frame) => void;
}

const MAX_INSTANCES = 2;

/** Supported system procedures by name. */
const PROCEDURES: Readonly<Record<string, Procedure>> = {
  sp_cdc_enable_db: { required: [], run: enableDatabase },
  sp_cdc_enable_table: {
    required: ['source_schema', 'source_name', 'role_name'],
    optional: ['capture_instance', 'supports_net_changes', 'captured_column_list'],
    run: enableTable,
  },
  sp_cdc_disable_table: {
    required: ['source_schema', 'source_name', 'capture_instance'],
    run: disableTable,
  },
  sp_cdc_cleanup_change_table: {
    required: ['capture_instance', 'low_water_mark'],
    optional: ['threshold'],
    run: cleanUp,
  },
};

/** Runs a procedure of `sys`. A refusal is a message with status 1. Throws 201, 2812 and 8145. */
export async function* callProcedure(
  frame: Frame,
  parts: readonly string[],
  args: readonly Argument[],
): AsyncGenerator<BatchEvent, void> {
  const name = parts.at(-1)?.toLowerCase() ?? '';
  const procedure = PROCEDURES[name];
  if (!procedure) throw raise(2812, [parts.join('.')]);
  const { required, optional = [], run } = procedure;
  const values: Record<string, SqlValue> = {};
  for (const argument of args) {
    const parameter = argument.name.toLowerCase();
    if (![...required, ...optional].includes(parameter)) throw raise(8145, [argument.name, name]);
    values[parameter] = argument.value;
  }
  const missing = required.find((parameter) => !(parameter in values));
  if (missing !== undefined) throw raise(201, [name, missing]);
  try {
    run(values, frame);
    yield { kind: 'status', value: 0 };
  } catch (error) {
    if (!(error instanceof SqlServerError)) throw error;
    yield { kind: 'message', message: messageOf(error, name) };
    yield { kind: 'status', value: 1 };
  }
}

/** Runs sys.sp_cdc_enable_db: creates the schema, the user and the log of `cdc`. Throws 22902. */
function enableDatabase(_args: Arguments, { session }: Frame): void {
  if (!isSysadmin(session)) throw raise(22902, ['Sysadmin']);
  const { database } = session;
  if (isCdcEnabled(database)) return;
  database.update('sys.databases', { name: database.name }, { is_cdc_enabled: true });
  schemaIdOf(database, 'cdc');
  database.insert('sys.database_principals', { name: 'cdc', principal_id: 5 });
  addLsn(database, renderTime(new Date()));
}

/** Returns the session's database. Throws 22901 without change data capture, and 22904 if the login is not its owner. */
function ownDatabase({ session }: Frame) {
  const { database } = session;
  if (!isCdcEnabled(database)) throw raise(22901, [database.name]);
  if (!hasDatabaseRole(session, 'db_owner')) throw raise(22904);
  return database;
}

/** Runs sys.sp_cdc_enable_table: creates a capture instance. Throws 22926, 22930, 22931 and 22962. */
function enableTable(args: Arguments, frame: Frame): void {
  const database = ownDatabase(frame);
  const { find, insert, update } = database;
  const [schema, table] = [String(args['source_schema']), String(args['source_name'])];
  const source = userTable(database, schema, table);
  const id = tableId(database, schema, table);
  if (!source || id === undefined) throw raise(22931, [schema, table]);
  const instances = find('cdc.change_tables', { source_object_id: id });
  if (instances.length >= MAX_INSTANCES) throw raise(22962, [schema, table]);
  const name = String(args['capture_instance'] ?? `${schema}_${table}`);
  if (find('cdc.change_tables', { capture_instance: name }).length > 0) throw raise(22926, [name]);
  const captured = capturedColumns(source.columns, args, [schema, table]);
  const now = renderTime(new Date());
  const objectId = editTables(database).addTable({
    name: `cdc.${name}_CT`,
    columns: changeTableColumns(captured),
    isMsShipped: true,
  });
  insert('cdc.change_tables', {
    ...{ object_id: objectId, source_object_id: id, capture_instance: name },
    ...{ start_lsn: addLsn(database, now), create_date: now },
    supports_net_changes: args['supports_net_changes'] ?? 0,
  });
  captured.forEach((column, i) =>
    insert('cdc.captured_columns', {
      ...{ object_id: objectId, column_name: column.name, column_ordinal: i + 1 },
    }),
  );
  update('sys.tables', { object_id: id }, { is_tracked_by_cdc: true });
}

/** Selects the columns of @captured_column_list, `[a], [b]`, or all columns without a list. Throws 22930. */
function capturedColumns(
  columns: readonly ResultColumn[],
  { captured_column_list: list = null }: Arguments,
  table: readonly string[],
): readonly ResultColumn[] {
  if (list === null) return columns;
  const wanted = new Map(parseNames(String(list)).map((name) => [name.toLowerCase(), name]));
  const captured = columns.filter(({ name }) => wanted.delete(name.toLowerCase()));
  for (const unknown of wanted.values()) throw raise(22930, [unknown, ...table]);
  return captured;
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

/** Runs sys.sp_cdc_disable_table: removes a capture instance of a table. Throws 22931 and 22960. */
function disableTable(args: Arguments, frame: Frame): void {
  const database = ownDatabase(frame);
  const { find, remove, update } = database;
  const [schema, table] = [String(args['source_schema']), String(args['source_name'])];
  const wanted = String(args['capture_instance']);
  const id = tableId(database, schema, table);
  if (id === undefined) throw raise(22931, [schema, table]);
  const [instance] = find('cdc.change_tables', { source_object_id: id, capture_instance: wanted });
  if (!instance) throw raise(22960, [wanted, schema, table]);
  const { object_id = null, capture_instance } = instance;
  for (const view of ['cdc.change_tables', 'cdc.captured_columns']) remove(view, { object_id });
  editTables(database).dropTable(`cdc.${String(capture_instance)}_CT`);
  if (find('cdc.change_tables', { source_object_id: id }).length > 0) return;
  update('sys.tables', { object_id: id }, { is_tracked_by_cdc: false });
}

/**
 * Runs sys.sp_cdc_cleanup_change_table: removes the changes before a low-water mark, and unneeded log entries. Throws
 * 22920, and 22964 for a mark that is not in the log.
 */
function cleanUp(args: Arguments, frame: Frame): void {
  const database = ownDatabase(frame);
  const { find, remove, update, tableRows } = database;
  const name = String(args['capture_instance']);
  const [instance] = find('cdc.change_tables', { capture_instance: name });
  if (!instance) throw raise(22920, [name, database.name]);
  const mark = args['low_water_mark'] ?? null;
  const [entry] = find('cdc.lsn_time_mapping', { start_lsn: mark });
  if (!entry) throw raise(22964, [renderLsn(mark)]);
  update('cdc.change_tables', { capture_instance: name }, { start_lsn: mark });
  const id = Number(instance['object_id']);
  const kept = (tableRows.get(id) ?? []).filter(
    (row) => renderLsn(row['__$start_lsn']) >= renderLsn(mark),
  );
  tableRows.set(id, kept);
  const [first = ''] = find('cdc.change_tables')
    .map((row) => renderLsn(row['start_lsn']))
    .sort();
  for (const { start_lsn = null } of find('cdc.lsn_time_mapping')) {
    if (renderLsn(start_lsn) < first) remove('cdc.lsn_time_mapping', { start_lsn });
  }
}
