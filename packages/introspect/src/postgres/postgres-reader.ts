import type { Catalog } from '@cdc-migrations/catalog';
import { didYouMean } from '../did-you-mean.ts';
import type { SourceReader } from '../source-reader.ts';
import { EmptyDatabaseError, MissingTablesError, type MissingTable } from '../source-error.ts';
import type { CatalogSelection, SourceDatabase } from '../source-database.ts';
import { buildPostgresCatalog } from './build-postgres-catalog.ts';
import {
  COLUMNS_SQL,
  FINGERPRINT_SQL,
  FOREIGN_KEYS_SQL,
  INDEXES_SQL,
  TABLES_SQL,
  TYPES_SQL,
  VISIBLE_SQL,
} from './catalog-queries.ts';
import { openPostgres, type Query } from './open-postgres.ts';
import type {
  ColumnRow,
  ForeignKeyRow,
  IndexRow,
  PostgresCatalogRows,
  TableRow,
  TypeRow,
} from './postgres-rows.ts';

/** Reader for PostgreSQL 15 and later. */
export const POSTGRES_READER: SourceReader = {
  read: async (source, selections, { timeoutMs, onEvent, unlessEqual, missing }) => {
    const session = openPostgres(source, timeoutMs);
    const names = selections.flatMap(({ schema, tables }) =>
      tables.map((table) => ({ s: schema, t: table })),
    );
    const wanted = JSON.stringify(names);
    try {
      return await session.read(async (query) => {
        const fingerprints = await readFingerprints(query, wanted);
        const isEqual = selections.every(({ schema }) => {
          const before = unlessEqual?.get(schema);
          return before !== undefined && before === fingerprints.get(schema);
        });
        if (isEqual) return undefined;
        onEvent({ kind: 'reading', database: source.database, tables: names.length });
        const rows = await readRows(query, wanted);
        if (missing === 'refuse') await refuseMissing(query, source, selections, rows);
        return selections.map((selection): Catalog => {
          const { tables, ...head } = buildPostgresCatalog(rows, selection);
          const fingerprint = fingerprints.get(selection.schema);
          return { ...head, ...(fingerprint !== undefined && { fingerprint }), tables };
        });
      });
    } finally {
      await session.close();
    }
  },
};

async function readFingerprints(
  query: Query,
  wanted: string,
): Promise<ReadonlyMap<string, string>> {
  const rows = await query<{ schema: string; hash: string }>(FINGERPRINT_SQL, [wanted]);
  return new Map(rows.map(({ schema, hash }) => [schema, hash]));
}

async function readRows(query: Query, wanted: string): Promise<PostgresCatalogRows> {
  const [tables, columns, types, indexes, foreignKeys] = await Promise.all([
    query<TableRow>(TABLES_SQL, [wanted]),
    query<ColumnRow>(COLUMNS_SQL, [wanted]),
    query<TypeRow>(TYPES_SQL, [wanted]),
    query<IndexRow>(INDEXES_SQL, [wanted]),
    query<ForeignKeyRow>(FOREIGN_KEYS_SQL, [wanted]),
  ]);
  return { tables, columns, types, indexes, foreignKeys };
}

interface VisibleRow {
  readonly schema: string;
  readonly name: string;
  readonly kind: string;
}

/** Reasons why a relation cannot be a source, by `relkind`. */
const NO_TABLE: Readonly<Record<string, string>> = {
  v: 'it is a view, which logical replication does not carry',
  m: 'it is a materialized view, which logical replication does not carry',
  f: 'it is a foreign table, which logical replication does not carry',
};

/** Throws if selected tables do not exist. */
async function refuseMissing(
  query: Query,
  source: SourceDatabase,
  selections: readonly CatalogSelection[],
  { tables: found }: PostgresCatalogRows,
): Promise<void> {
  const known = new Set(found.map(({ schema, name }) => JSON.stringify([schema, name])));
  const missing = selections.flatMap(({ schema, tables }) =>
    tables
      .filter((table) => !known.has(JSON.stringify([schema, table])))
      .map((table) => ({ schema, table })),
  );
  if (missing.length === 0) return;
  const visible = await query<VisibleRow>(VISIBLE_SQL);
  if (!visible.some(({ kind }) => kind === 'r' || kind === 'p')) {
    throw new EmptyDatabaseError(source);
  }
  throw new MissingTablesError(
    source,
    missing.map((entry) => withHint(entry, visible)),
  );
}

function withHint(
  { schema, table }: { readonly schema: string; readonly table: string },
  visible: readonly VisibleRow[],
): MissingTable {
  const inSchema = visible.filter((row) => row.schema === schema);
  const same = inSchema.find(({ name }) => name === table);
  const names = inSchema.map(({ name }) => name);
  const hint = same ? NO_TABLE[same.kind] : didYouMean(table, names);
  return { table: `${schema}.${table}`, ...(hint !== undefined && { hint }) };
}
