import type { Pattern } from '@cdc-migrations/catalog';
import { groupRows } from '../group-rows.ts';
import type { MssqlCatalogRows, MssqlRow } from './parse-mssql-catalog-rows.ts';

/** What a catalog is made of: one schema of one database, and the tables that services name in it. */
export interface MssqlSelection {
  /** Database and schema stand in the catalog as they are spelled here, because they name its snapshot. */
  readonly database: string;
  readonly schema: string;
  readonly pattern: Pattern;
  /** Compared without case; the spelling of the catalog wins. */
  readonly tables: readonly string[];
}

/** A selected table that the schema does not have, or has several times in different case. */
export interface UnmatchedTable {
  readonly table: string;
  readonly candidates: readonly string[];
}

/** Thrown with every table of a selection that is not there. */
export class MssqlSelectionError extends Error {
  override readonly name = 'MssqlSelectionError';
  constructor(
    readonly database: string,
    readonly schema: string,
    /** Whether the schema is there at all. */
    readonly hasSchema: boolean,
    readonly unmatched: readonly UnmatchedTable[],
  ) {
    const place = `${database}.${schema}`;
    super(
      hasSchema
        ? unmatched.map((entry) => formatUnmatched(place, entry)).join('\n')
        : `${database} has no schema "${schema}" (selected: ${unmatched.map(({ table }) => table).join(', ')})`,
    );
  }
}

/** Rows of the selected tables, each once. Throws MssqlSelectionError. */
export function selectMssqlTables(
  rows: Pick<MssqlCatalogRows, 'schemas' | 'tables'>,
  { database, schema, tables }: MssqlSelection,
): readonly MssqlRow<'tables'>[] {
  const [schemaRow] = matching(rows.schemas, schema);
  const inSchema = rows.tables.filter((table) => table.schema_id === schemaRow?.schema_id);
  const known = groupRows(oncePerId(inSchema), ({ name }) => fold(name));
  const selected = new Map<number, MssqlRow<'tables'>>();
  const unmatched: UnmatchedTable[] = [];
  for (const table of tables) {
    const [match, ...others] = matching(known.get(fold(table)) ?? [], table);
    if (match && others.length === 0) selected.set(match.object_id, match);
    else
      unmatched.push({ table, candidates: [match, ...others].flatMap((row) => row?.name ?? []) });
  }
  if (unmatched.length > 0) {
    throw new MssqlSelectionError(database, schema, schemaRow !== undefined, unmatched);
  }
  return [...selected.values()];
}

/** The row of exactly this name; else all that differ from it only in case. */
export function matching<T extends { readonly name: string }>(
  rows: readonly T[],
  name: string,
): readonly T[] {
  const exact = rows.find((row) => row.name === name);
  return exact ? [exact] : rows.filter((row) => fold(row.name) === fold(name));
}

function oncePerId(tables: readonly MssqlRow<'tables'>[]): readonly MssqlRow<'tables'>[] {
  return [...new Map(tables.map((table) => [table.object_id, table])).values()];
}

function fold(name: string): string {
  return name.toLowerCase();
}

function formatUnmatched(place: string, { table, candidates }: UnmatchedTable): string {
  if (candidates.length === 0) return `${place} has no table "${table}"`;
  return `${place} has several tables "${table}": ${candidates.join(', ')}; write one of them`;
}
