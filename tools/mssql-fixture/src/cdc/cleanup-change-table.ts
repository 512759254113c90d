import type { Frame } from '../batch/session.ts';
import { raise } from '../engine/sql-server-error.ts';
import { rowTable } from '../engine/user-table.ts';
import { BIGINT, BIT, SYSNAME, type SqlValue } from '../tds/sql-type.ts';
import { quoteName } from '../translate/typed-sql.ts';
import { cdcContext, requireOwner, type CdcContext } from './cdc-context.ts';
import { renderLsn } from './log-sequence.ts';
import { textArgument, type Procedure, type ProcedureResult } from './procedure.ts';

/** sys.sp_cdc_cleanup_change_table: forgets the changes before a low water mark. */
export const CLEANUP_CHANGE_TABLE: Procedure = {
  name: 'sp_cdc_cleanup_change_table',
  parameters: [
    { name: 'capture_instance', type: SYSNAME, fallback: undefined },
    { name: 'low_water_mark', type: { name: 'binary', length: 10 }, fallback: undefined },
    { name: 'threshold', type: BIGINT, fallback: 5000 },
    { name: 'fcleanupfailed', type: BIT, fallback: null },
  ],
  run: (args, frame) => cleanUp(args, frame),
};

function cleanUp(args: ReadonlyMap<string, SqlValue>, frame: Frame): ProcedureResult {
  const context = cdcContext(frame);
  requireOwner(frame, context);
  const { rows, database } = context;
  const wanted = textArgument(args, 'capture_instance') ?? '';
  const instance = rows
    .find('cdc.change_tables')
    .find((row) => String(row['capture_instance']).toLowerCase() === wanted.toLowerCase());
  if (!instance) throw raise(22920, [wanted, database]);
  const mark = args.get('low_water_mark') ?? null;
  const objectId = Number(instance['object_id']);
  if (mark instanceof Uint8Array) {
    checkMark(context, mark, { name: wanted, start: instance['start_lsn'] ?? null });
    rows.update('cdc.change_tables', { object_id: objectId }, { start_lsn: mark });
  }
  const start = rows.find('cdc.change_tables', { object_id: objectId })[0]?.['start_lsn'] ?? null;
  forgetChanges(frame, database, objectId, start);
  forgetLog(frame, context);
  return {};
}

/** Throws 22957 for a mark outside of the instance's timeline, and 22964 for one that the log does not know. */
function checkMark(
  { rows }: CdcContext,
  mark: Uint8Array,
  { name, start }: { readonly name: string; readonly start: SqlValue },
): void {
  const known = rows.find('cdc.lsn_time_mapping').map((row) => lsnText(row['start_lsn'] ?? null));
  const last = known.reduce((a, b) => (a > b ? a : b), '');
  const text = renderLsn(mark);
  if (text < lsnText(start) || text > last) throw raise(22957, [text, name, lsnText(start), last]);
  if (!known.includes(text)) throw raise(22964, [text]);
}

function lsnText(value: SqlValue): string {
  return value instanceof Uint8Array ? renderLsn(value) : '';
}

function forgetChanges(frame: Frame, database: string, objectId: number, start: SqlValue): void {
  const { sqlite } = frame.host.engine;
  const name = rowTable(database, objectId);
  if (sqlite.all('SELECT 1 FROM sqlite_master WHERE name = ?1', [name]).length === 0) return;
  sqlite.run(`DELETE FROM ${quoteName(name)} WHERE "__$start_lsn" < ?1`, [start]);
}

/** Entries of the log that no instance needs any more. */
function forgetLog(frame: Frame, { database }: CdcContext): void {
  const { engine } = frame.host;
  const view = (name: string): string => engine.viewName(database, name);
  engine.sqlite.run(
    `DELETE FROM ${view('cdc.lsn_time_mapping')}
     WHERE start_lsn < (SELECT min(start_lsn) FROM ${view('cdc.change_tables')})`,
  );
}
