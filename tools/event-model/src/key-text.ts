import type { ReplicatedTable } from '@cdc-migrations/table-defs';
import { canonicalValue } from './values/build-value.ts';

/** One text per key: equal where PostgreSQL takes the keys of two rows for equal; null without a key. */
export function keyText(
  { key, columns }: ReplicatedTable,
  values: Readonly<Record<string, string | null>>,
): string | null {
  if (!key) return null;
  const parts = key.columns.map((name) => {
    const value = values[name];
    const type = columns.find((column) => column.name === name)?.type;
    if (type === undefined) throw new Error(`no column "${name}", which is in the key`);
    return value === null || value === undefined ? null : canonicalValue(type, value);
  });
  return JSON.stringify(parts);
}
