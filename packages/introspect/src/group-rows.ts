/** Groups rows by a key and keeps their order. */
export function groupRows<K, T>(
  rows: readonly T[],
  keyOf: (row: T) => K,
): ReadonlyMap<K, readonly T[]> {
  const groups = new Map<K, T[]>();
  for (const row of rows) {
    const key = keyOf(row);
    const group = groups.get(key);
    if (group) group.push(row);
    else groups.set(key, [row]);
  }
  return groups;
}

/** Sorts rows by an ordinal and keeps one row per ordinal. Joins of catalog views repeat rows. */
export function rowsInOrder<T>(
  rows: readonly T[] | undefined,
  ordinalOf: (row: T) => number,
): readonly T[] {
  const once = new Map(rows?.map((row) => [ordinalOf(row), row]));
  return [...once].sort(([a], [b]) => a - b).map(([, row]) => row);
}
