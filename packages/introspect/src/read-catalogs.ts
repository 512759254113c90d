import type { Catalog, SourceType } from '@cdc-migrations/catalog';
import {
  DEFAULT_TIMEOUT_MS,
  type CatalogSelection,
  type SourceDatabase,
} from './source-database.ts';
import type { ReadCatalogsOptions, SourceReader } from './source-reader.ts';
import { withRetry } from './with-retry.ts';

/** Readers by kind of database. A driver is loaded when the first database of its kind is read. */
const READERS: { readonly [T in SourceType]: () => Promise<SourceReader> } = {
  mssql: async () => (await import('./mssql/read-mssql-catalogs.ts')).MSSQL_READER,
  postgres: async () => (await import('./postgres/postgres-reader.ts')).POSTGRES_READER,
};

/**
 * Reads the catalogs of the selected tables of one database, one per selection in the same order. Returns undefined if
 * the fingerprints equal those of `unlessEqual`. The number of queries does not depend on the number of tables. The
 * function retries once after a transient failure.
 *
 * @throws SourceError with a message in one line: what happened and what to do.
 */
export async function readCatalogs(
  source: SourceDatabase,
  selections: readonly CatalogSelection[],
  options: ReadCatalogsOptions = {},
): Promise<readonly Catalog[] | undefined> {
  const { timeoutMs = DEFAULT_TIMEOUT_MS, onEvent = () => undefined } = options;
  const { unlessEqual, missing = 'refuse' } = options;
  const { database, server } = source;
  const { read } = await READERS[source.type]();
  onEvent({ kind: 'connecting', database, host: server.host });
  const catalogs = await withRetry(
    () => read(source, selections, { timeoutMs, onEvent, unlessEqual, missing }),
    onEvent,
  );
  if (!catalogs) onEvent({ kind: 'unchanged', database });
  else onEvent({ kind: 'read', database, tables: countTables(catalogs) });
  return catalogs;
}

function countTables(catalogs: readonly Catalog[]): number {
  return catalogs.reduce((sum, { tables }) => sum + tables.length, 0);
}
