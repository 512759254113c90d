import type { ColumnStructure } from './table-structure.ts';

/**
 * Renders a column as JSON for the procedures of `cdc_management` that converge a table: name, type, NOT NULL, default,
 * and, if there are any, earlier names and the constant for rows without a value. Examples:
 * `["navn", "text", false, null, ["name"]]`, `["land", "text", true, null, [], "'NO'"]`.
 */
export function columnEntry({
  name,
  type,
  nullable,
  default: initial = null,
  formerly,
  backfill,
}: Omit<ColumnStructure, 'default'> & { readonly default?: string | null }): string {
  const optional = backfill === undefined ? formerly && [formerly] : [formerly ?? [], backfill];
  const entry = [name, type, !nullable, initial, ...(optional ?? [])];
  return `[${entry.map((value) => JSON.stringify(value)).join(', ')}]`;
}
