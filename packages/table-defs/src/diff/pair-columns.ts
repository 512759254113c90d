import type { AnyColumn } from './table-change.ts';

/** A column before and after; only one of the two where it came or went. */
export interface ColumnPair {
  readonly before: AnyColumn | undefined;
  readonly after: AnyColumn | undefined;
}

/**
 * Columns that are the same one, by their name; a column whose name is new by the newest of its earlier names that
 * there was, as the file of the table does it. In the order of `after`, then those that are gone.
 */
export function pairColumns(
  before: readonly AnyColumn[],
  after: readonly AnyColumn[],
): readonly ColumnPair[] {
  const earlier = new Map(before.map((column) => [column.name, column]));
  const pairs = after.map((column): ColumnPair => {
    const formerly = 'formerly' in column ? (column.formerly ?? []) : [];
    const names = [column.name, ...formerly];
    const name = names.find((one) => earlier.has(one));
    return { before: name === undefined ? undefined : earlier.get(name), after: column };
  });
  const used = new Set(pairs.map((pair) => pair.before));
  const gone = before.filter((column) => !used.has(column));
  return [...pairs, ...gone.map((column) => ({ before: column, after: undefined }))];
}
