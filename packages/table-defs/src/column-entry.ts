import type { ColumnStructure } from './table-structure.ts';

/**
 * Renders a column as JSON for the procedures of `cdc_management` that converge a table: name, type, NOT NULL, default,
 * and earlier names if there are any. Example: `["navn", "text", false, null, ["name"]]`.
 */
export function columnEntry({
  name,
  type,
  nullable,
  default: initial = null,
  formerly,
}: Omit<ColumnStructure, 'default'> & { readonly default?: string | null }): string {
  const entry = [name, type, !nullable, initial, ...(formerly ? [formerly] : [])];
  return `[${entry.map((value) => JSON.stringify(value)).join(', ')}]`;
}
