import { DEFAULT_TIMEOUT_MS, type SourceDatabase } from './source-database.ts';

/** Values of a row as text, in the order of the query. */
export type TextRow = readonly (string | null)[];

/** A connection to a source database that rows are read through. */
export interface RowReader {
  /**
   * Runs a query whose columns are all text and hands over its rows: of SQL Server as they come, of PostgreSQL when all
   * are there. In PostgreSQL values are spelled as in every session of ours: ISO dates, UTC, all digits of a float.
   *
   * @throws SourceError
   */
  read(query: string, onRow: (row: TextRow) => void): Promise<void>;
  close(): Promise<void>;
}

/**
 * Opens a connection that only reads.
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
      const rows = await session.read((run) => run<Record<string, string | null>>(query));
      for (const row of rows) onRow(Object.values(row));
    },
    close: () => session.close(),
  };
}
