import { raise } from '../engine/sql-server-error.ts';
import type { SqlValue } from '../tds/sql-type.ts';
import type { CdcContext, SourceTable } from './cdc-context.ts';

/** A column of a source table. */
export interface SourceColumn {
  readonly id: number;
  readonly name: string;
  /** The type's name, `nvarchar`. */
  readonly type: string;
  readonly facets: Readonly<Record<string, SqlValue>>;
}

/** The index that tells the rows of a source table apart. */
export interface SourceKey {
  readonly indexName: string;
  readonly columnIds: readonly number[];
}

/** The columns of a table, in their order. */
export function sourceColumns({ rows }: CdcContext, table: SourceTable): readonly SourceColumn[] {
  const types = new Map(
    rows.find('sys.types').map((row) => [row['user_type_id'], String(row['name'])]),
  );
  return rows
    .find('sys.columns', { object_id: table.id })
    .map((facets) => ({
      id: Number(facets['column_id']),
      name: String(facets['name']),
      type:
        types.get(facets['system_type_id'] ?? null) ??
        String(types.get(facets['user_type_id'] ?? null)),
      facets,
    }))
    .sort((a, b) => a.id - b.id);
}

/**
 * The key that a capture instance uses: the index that was asked for, else the primary key, else none. Throws 22928 and
 * 22929 for an index that is not the table's, or not unique.
 */
export function sourceKey(
  { rows }: CdcContext,
  table: SourceTable,
  indexName: string | undefined,
): SourceKey | undefined {
  const indexes = rows.find('sys.indexes', { object_id: table.id });
  const isWanted = (name: SqlValue | undefined): boolean =>
    String(name).toLowerCase() === indexName?.toLowerCase();
  const index = indexes.find((row) =>
    indexName === undefined ? row['is_primary_key'] === 1 : isWanted(row['name']),
  );
  if (!index) {
    if (indexName === undefined) return undefined;
    throw raise(22928, [indexName, table.schema, table.name]);
  }
  const isUsable = index['is_unique'] === 1 && index['has_filter'] !== 1;
  if (!isUsable) throw raise(22929, [String(index['name']), table.schema, table.name]);
  const columnIds = rows
    .find('sys.index_columns', { object_id: table.id, index_id: index['index_id'] ?? 0 })
    .filter((row) => row['is_included_column'] !== 1)
    .sort((a, b) => Number(a['key_ordinal']) - Number(b['key_ordinal']))
    .map((row) => Number(row['column_id']));
  return { indexName: String(index['name']), columnIds };
}

/**
 * The columns of @captured_column_list, `[a], b`; all of them where there is no list. Throws 22930 and 22965, and 22943
 * where a column of the key is not among them.
 */
export function capturedColumns(
  columns: readonly SourceColumn[],
  list: string | undefined,
  { table, key }: { readonly table: SourceTable; readonly key: SourceKey | undefined },
): readonly SourceColumn[] {
  if (list === undefined) return columns;
  const names = parseColumnList(list);
  for (const name of names) {
    const isThere = columns.some((column) => column.name.toLowerCase() === name.toLowerCase());
    if (!isThere) throw raise(22930, [name, table.schema, table.name]);
  }
  const wanted = new Set(names.map((name) => name.toLowerCase()));
  const captured = columns.filter((column) => wanted.has(column.name.toLowerCase()));
  const hasKey = key?.columnIds.every((id) => captured.some((column) => column.id === id)) ?? true;
  if (!hasKey) throw raise(22943);
  return captured;
}

/** Names between commas, in brackets or double quotes where they need them. */
function parseColumnList(list: string): readonly string[] {
  const names: string[] = [];
  const item = /\s*(?:\[((?:[^\]]|\]\])*)\]|"((?:[^"]|"")*)"|([^,[\]"]+))\s*(,|$)/y;
  while (item.lastIndex < list.length) {
    const match = item.exec(list);
    if (!match) throw raise(22965);
    const [, bracketed, quoted, bare = ''] = match;
    names.push(bracketed?.replaceAll(']]', ']') ?? quoted?.replaceAll('""', '"') ?? bare.trim());
    if (match[4] === '') break;
  }
  return names;
}
