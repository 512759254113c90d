import type { Catalog } from '@cdc-migrations/catalog';
import {
  EmptyDatabaseError,
  MissingTablesError,
  SourceChangedError,
  type MissingTable,
} from '../source-error.ts';
import type { CatalogSelection, SourceDatabase } from '../source-database.ts';
import { didYouMean } from '../did-you-mean.ts';
import type { SourceReader } from '../source-reader.ts';
import { buildMssqlCatalog } from './build-mssql-catalog.ts';
import {
  CATALOG_SQL,
  CATALOG_VIEWS,
  FINGERPRINT_SQL,
  VISIBLE_TABLES_SQL,
  wantedTablesSql,
} from './catalog-queries.ts';
import { type MssqlSession, openMssql } from './open-mssql.ts';
import { parseMssqlCatalogRows } from './parse-mssql-catalog-rows.ts';
import { MssqlSelectionError } from './select-mssql-tables.ts';

/**
 * Reads the fingerprint of each selected schema, by its name in lower case. A schema without selected tables has none.
 */
export async function readMssqlFingerprints(
  session: MssqlSession,
  selections: readonly CatalogSelection[],
): Promise<ReadonlyMap<string, string>> {
  const [rows = []] = await session.batch(wantedTablesSql(selections) + FINGERPRINT_SQL);
  return new Map(
    rows.map(({ schema_name: schema, hash }) => [String(schema).toLowerCase(), hexOf(hash)]),
  );
}

/**
 * Reads catalogs of the selected tables in one round trip. The connection must have read their fingerprints before.
 *
 * @throws MissingTablesError, EmptyDatabaseError, SourceChangedError
 */
export async function readMssqlCatalogs(
  session: MssqlSession,
  selections: readonly CatalogSelection[],
  missing: 'refuse' | 'leave out' = 'refuse',
): Promise<readonly Catalog[]> {
  const results = await session.batch(CATALOG_SQL);
  const rows = parseMssqlCatalogRows(
    Object.fromEntries(CATALOG_VIEWS.map((view, i) => [view, results[i] ?? []])),
  );
  const catalogs: Catalog[] = [];
  const unmatched: MssqlSelectionError[] = [];
  for (const selection of selections) {
    try {
      catalogs.push(buildMssqlCatalog(rows, selection));
    } catch (error) {
      if (!(error instanceof MssqlSelectionError)) throw error;
      if (missing === 'leave out')
        catalogs.push(buildMssqlCatalog(rows, present(selection, error)));
      else unmatched.push(error);
    }
  }
  if (unmatched.length > 0) throw await missingTables(session, unmatched);
  refuseHollowTables(session.source, catalogs);
  return catalogs;
}

/** Removes tables that do not exist from a selection. */
function present(
  selection: CatalogSelection,
  { unmatched }: MssqlSelectionError,
): CatalogSelection {
  const absent = new Set(unmatched.map(({ table }) => table));
  return { ...selection, tables: selection.tables.filter((table) => !absent.has(table)) };
}

/** Throws for a table without columns. It was dropped between the query for tables and the query for columns. */
function refuseHollowTables(source: SourceDatabase, catalogs: readonly Catalog[]): void {
  const hollow = catalogs.flatMap(({ schema, tables }) =>
    tables.filter(({ columns }) => columns.length === 0).map(({ name }) => `${schema}.${name}`),
  );
  if (hollow.length > 0) throw new SourceChangedError(source, hollow);
}

async function missingTables(
  session: MssqlSession,
  errors: readonly MssqlSelectionError[],
): Promise<Error> {
  const [visible = [], [counts] = []] = await session.batch(VISIBLE_TABLES_SQL);
  if (Number(counts?.['gone']) > 0) {
    const names = errors.flatMap(({ schema, unmatched }) =>
      unmatched.map(({ table }) => `${schema}.${table}`),
    );
    return new SourceChangedError(session.source, names);
  }
  if (visible.length === 0) return new EmptyDatabaseError(session.source);
  const missing = errors.flatMap(({ schema, unmatched }) =>
    unmatched.map(({ table, candidates }): MissingTable => {
      if (candidates.length > 0) {
        return { table: `${schema}.${table}`, hint: `write one of ${candidates.join(', ')}` };
      }
      const inSchema = visible.filter((row) => isSame(row['schema_name'], schema));
      const near = didYouMean(
        table,
        inSchema.map((row) => String(row['table_name'])),
      );
      return { table: `${schema}.${table}`, ...(near !== undefined && { hint: near }) };
    }),
  );
  return new MissingTablesError(session.source, missing, { cause: errors[0] });
}

function isSame(name: unknown, other: string): boolean {
  return String(name).toLowerCase() === other.toLowerCase();
}

function hexOf(hash: unknown): string {
  return Buffer.isBuffer(hash) ? hash.toString('hex') : String(hash);
}

/** Reader for SQL Server 2016 and later, and for compatible servers. */
export const MSSQL_READER: SourceReader = {
  read: async (source, selections, { timeoutMs, onEvent, unlessEqual, missing }) => {
    const session = await openMssql(source, timeoutMs);
    try {
      const fingerprints = await readMssqlFingerprints(session, selections);
      const fingerprintOf = (schema: string) => fingerprints.get(schema.toLowerCase());
      const isEqual = selections.every(({ schema }) => {
        const before = unlessEqual?.get(schema);
        return before !== undefined && before === fingerprintOf(schema);
      });
      if (isEqual) return undefined;
      const tables = selections.reduce((sum, selection) => sum + selection.tables.length, 0);
      onEvent({ kind: 'reading', database: source.database, tables });
      const catalogs = await readMssqlCatalogs(session, selections, missing);
      return catalogs.map(({ tables: read, ...head }) => {
        const fingerprint = fingerprintOf(head.schema);
        return { ...head, ...(fingerprint !== undefined && { fingerprint }), tables: read };
      });
    } finally {
      session.close();
    }
  },
};
