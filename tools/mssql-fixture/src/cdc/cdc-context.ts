import { isCdcEnabled } from '../batch/resolve-relation.ts';
import { hasDatabaseRole, isSysadmin, type Frame } from '../batch/session.ts';
import { editRows, type RowEditor } from '../engine/edit-rows.ts';
import { editTables, type TableEditor } from '../engine/edit-tables.ts';
import { raise } from '../engine/sql-server-error.ts';
import { tableId } from '../engine/user-table.ts';
import { renderIsoTime } from '../tds/iso-time.ts';
import type { SqlValue } from '../tds/sql-type.ts';

/** The database of a procedure. */
export interface CdcContext {
  readonly database: string;
  readonly rows: RowEditor;
  readonly tables: TableEditor;
  readonly isEnabled: boolean;
  /** The server's time in the engine's format. */
  readonly now: string;
}

/** Returns the session's database. */
export function cdcContext({ host, session }: Frame): CdcContext {
  const { engine, clock } = host;
  const database = session.databaseName;
  return {
    database,
    rows: editRows(engine, database),
    tables: editTables(engine, database),
    isEnabled: isCdcEnabled(engine, database),
    now: renderIsoTime(clock()),
  };
}

/** Throws 22902 if the login is no sysadmin. */
export function requireSysadmin({ session }: Frame): void {
  if (!isSysadmin(session)) throw raise(22902, ['Sysadmin']);
}

/** Throws 22901 in a database without change data capture, and 22904 if the login is not its owner. */
export function requireOwner(frame: Frame, { database, isEnabled }: CdcContext): void {
  if (!isEnabled) throw raise(22901, [database]);
  if (!hasDatabaseRole(frame.session, 'db_owner')) throw raise(22904);
}

/** A source table by its names. */
export interface SourceTable {
  readonly id: number;
  readonly schema: string;
  readonly name: string;
}

/** Finds the table of @source_schema and @source_name. Throws 22963 without a name, and 22931 if there is none. */
export function sourceTable(
  { host }: Frame,
  { database }: CdcContext,
  args: Readonly<Record<string, SqlValue>>,
): SourceTable {
  const [schema, name] = ['source_schema', 'source_name'].map((parameter) => {
    const value = String(args[parameter] ?? '').trim();
    if (value === '') throw raise(22963, [`@${parameter}`]);
    return value;
  }) as [string, string];
  if (schema.toLowerCase() === 'cdc') throw raise(22974);
  const id = tableId(host.engine, { database, schema, name });
  if (id === undefined) throw raise(22931, [schema, name]);
  return { id, schema, name };
}
