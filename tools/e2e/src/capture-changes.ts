import type { Sql } from 'postgres';
import { parsePgoutput, type SourceChange } from './parse-pgoutput.ts';

const NAME = 'capture';

/** The changes of a source database since the start of the capture. The server needs `wal_level = logical`. */
export interface Capture {
  /** Returns all changes since the last call in commit order. */
  read(): Promise<readonly SourceChange[]>;
}

/** Starts to capture the changes of all tables of a database, as a connector does. */
export async function captureChanges(sql: Sql): Promise<Capture> {
  await sql`CREATE PUBLICATION ${sql(NAME)} FOR ALL TABLES`;
  await sql`SELECT pg_create_logical_replication_slot(current_database() || '_slot', 'pgoutput')`;
  return {
    read: async () => {
      const rows = await sql<{ data: string }[]>`
        SELECT encode(data, 'hex') AS data
        FROM pg_logical_slot_get_binary_changes(current_database() || '_slot', NULL, NULL,
          'proto_version', '1', 'publication_names', ${NAME})`;
      return parsePgoutput(rows.map(({ data }) => Buffer.from(data, 'hex')));
    },
  };
}
