import type { Session } from '../session/session.ts';

/** Position up to which a pipeline by LSN has staged the changes of a source table. */
export interface ChangeCursor {
  readonly schema: string;
  readonly table: string;
  readonly sourceDatabase: string;
  /** LSN as `0x…`. */
  readonly readTo: string;
}

/** Reads the cursors of all pipelines that read change tables of SQL Server. */
export async function readChangeCursors(
  session: Pick<Session, 'read'>,
): Promise<readonly ChangeCursor[]> {
  return await session.read<ChangeCursor>(`
SELECT schema_name AS schema, table_name AS "table", source_db AS "sourceDatabase", '0x' || encode(read_to, 'hex') AS "readTo"
FROM cdc_management.change_cursor`);
}
