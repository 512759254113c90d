import type { AnyColumn } from './table-change.ts';

/** A column before and after a change. One side is undefined for an added or removed column. */
export interface ColumnPair {
  readonly before: AnyColumn | undefined;
  readonly after: AnyColumn | undefined;
}

/**
 * Pairs columns by name. A column with a new name is paired with the newest of its earlier names that exists, as in the
 * file of the table. The pairs are in the order of `after`, followed by the removed columns.
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
