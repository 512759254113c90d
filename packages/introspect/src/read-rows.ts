import { DEFAULT_TIMEOUT_MS, type SourceDatabase } from './source-database.ts';

/** Values of a row as text, in the order of the query. */
export type TextRow = readonly (string | null)[];

/** A connection for reading rows of a source database. */
export interface RowReader {
  /**
   * Runs a query whose columns are all text, and calls `onRow` for each row: for SQL Server as each row arrives, for
   * PostgreSQL after all rows have arrived. PostgreSQL values have a fixed format: ISO dates, UTC, all digits of a
   * float. Fails if a row-level security policy would hide rows from the login.
   *
   * @throws SourceError
   */
  read(query: string, onRow: (row: TextRow) => void): Promise<void>;
  close(): Promise<void>;
}

/**
 * Opens a read-only connection.
 *
 * @throws SourceError
 */
export async function openRowReader(
  source: SourceDatabase,
  { timeoutMs = DEFAULT_TIMEOUT_MS }: { readonly timeoutMs?: number | undefined } = {},
): Promise<RowReader> {
  if (source.type === 'mssql') {
    const { openMssql } = await import('./mssql/open-mssql.ts');
    const session = await openMssql(source, timeoutMs);
    return {
      read: (query, onRow) => session.each(query, (values) => onRow(values as TextRow)),
      close: async () => session.close(),
    };
  }
  const { openPostgres } = await import('./postgres/open-postgres.ts');
  const session = openPostgres(source, timeoutMs);
  return {
    read: async (query, onRow) => {
      const rows = await session.read(async (run) => {
        await run('SET LOCAL row_security = off'); // rows that a policy hides are an error
        return run<Record<string, string | null>>(query);
      });
      for (const row of rows) onRow(Object.values(row));
    },
    close: () => session.close(),
  };
}
