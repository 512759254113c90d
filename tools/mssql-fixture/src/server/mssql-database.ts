import type { Host } from '../batch/host.ts';
import { addLsn, renderLsn } from '../cdc/log-sequence.ts';
import { editRows, type RowEditor } from '../engine/edit-rows.ts';
import { editTables, type TableEditor } from '../engine/edit-tables.ts';
import { renderIsoTime } from '../tds/iso-time.ts';

/** A database of a running server. Its tables and the rows of its views can be changed at any time. */
export interface MssqlDatabase extends RowEditor, TableEditor {
  readonly name: string;
  /** Advances the log to a time, like a scan of the capture job. Returns the new LSN, `0x…`. */
  advanceLog(time: Date): string;
}

/** Opens a database of a server. Throws for a database that does not exist. */
export function openDatabase({ engine }: Host, name: string): MssqlDatabase {
  const entry = engine.database(name);
  if (!entry) throw new Error(`the server has no database ${name}`);
  const rows = editRows(engine, entry.name);
  return {
    name: entry.name,
    ...rows,
    ...editTables(engine, entry.name),
    advanceLog: (time) => renderLsn(addLsn(rows, renderIsoTime(time))),
  };
}
