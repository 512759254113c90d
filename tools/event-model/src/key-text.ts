import type { ReplicatedTable } from '@cdc-migrations/table-defs';
import { canonicalValue, storedValue } from './values/build-value.ts';

/**
 * Returns a text per key that is equal if PostgreSQL considers the keys of two rows equal. Returns null without a key.
 */
export function keyText(
  { key, columns }: ReplicatedTable,
  values: Readonly<Record<string, string | null>>,
): string | null {
  if (!key) return null;
  const parts = key.columns.map((name) => {
    const value = values[name];
    const column = columns.find((one) => one.name === name);
    if (!column) throw new Error(`no column "${name}", which is in the key`);
    if (value === null || value === undefined) return null;
    return canonicalValue(column.type, storedValue(column, value));
  });
  return JSON.stringify(parts);
}
