import type { Pattern } from '@cdc-migrations/catalog';
import { groupBy } from '@cdc-migrations/sql-text';
import type { MssqlCatalogRows, MssqlRow } from './parse-mssql-catalog-rows.ts';

/** Tables of one schema to select. */
export interface MssqlSelection {
  /** The catalog keeps this spelling of database and schema, because they are part of the snapshot's file name. */
  readonly database: string;
  readonly schema: string;
  readonly pattern: Pattern;
  /** Names are compared without case. The catalog contains the spelling of the server. */
  readonly tables: readonly string[];
}

/** A selected table that does not exist, or that exists several times in different case. */
export interface UnmatchedTable {
  readonly table: string;
  readonly candidates: readonly string[];
}

/** Thrown with all unmatched tables of a selection. */
export class MssqlSelectionError extends Error {
  override readonly name = 'MssqlSelectionError';
  constructor(
    readonly database: string,
    readonly schema: string,
    /** True if the schema exists. */
    readonly hasSchema: boolean,
    readonly unmatched: readonly UnmatchedTable[],
  ) {
    const location = `${database}.${schema}`;
    super(
      hasSchema
        ? unmatched.map((entry) => formatUnmatched(location, entry)).join('\n')
        : `${database} has no schema "${schema}" (selected: ${unmatched.map(({ table }) => table).join(', ')})`,
    );
  }
}

/** Selects the rows of the selected tables, each once. Throws MssqlSelectionError. */
export function selectMssqlTables(
  rows: Pick<MssqlCatalogRows, 'schemas' | 'tables'>,
  { database, schema, tables }: MssqlSelection,
): readonly MssqlRow<'tables'>[] {
  const [schemaRow] = matching(rows.schemas, schema);
  const inSchema = rows.tables.filter((table) => table.schema_id === schemaRow?.schema_id);
  const known = groupBy(oncePerId(inSchema), ({ name }) => fold(name));
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

/** Returns the row with exactly this name, else all rows whose names differ only in case. */
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

function formatUnmatched(location: string, { table, candidates }: UnmatchedTable): string {
  if (candidates.length === 0) return `${location} has no table "${table}"`;
  return `${location} has several tables "${table}": ${candidates.join(', ')}; write one of them`;
}
