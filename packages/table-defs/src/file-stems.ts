import { createHash } from 'node:crypto';
import { safeFileName } from '@cdc-migrations/generated-file';
import { groupBy } from './group-by.ts';
import { schemaLabel } from './schema-label.ts';
import type { TableDefinition } from './table-definition.ts';

/**
 * Names of the files of tables that share a folder, without ending: the table's name; where two tables have one
 * name (also when only case differs) both become `<schema>.<Table>`, `<set>.<schema>.<Table>` where that is still
 * one name, and in the end one with a hash of names that differ in case only. No two tables have one file, on any
 * file system.
 */
export function fileStems(
  tables: readonly TableDefinition[],
): ReadonlyMap<TableDefinition, string> {
  const stems = new Map(tables.map((table) => [table, NAMINGS[0]!(table)]));
  const levels = new Map(tables.map((table) => [table, 0]));
  for (;;) {
    const groups = [...groupBy(tables, (table) => folded(stems.get(table)!)).values()];
    const clashing = groups.filter(({ length }) => length > 1).flat();
    if (clashing.length === 0) return stems;
    for (const table of clashing) {
      const level = levels.get(table)! + 1;
      const name = NAMINGS[level];
      if (!name) throw new Error(`two definitions are of ${NAMINGS[2]!(table)}`);
      levels.set(table, level);
      stems.set(table, name(table));
    }
  }
}

const NAMINGS: readonly ((table: TableDefinition) => string)[] = [
  ({ name }) => safeFileName(name),
  (table) => safeFileName(`${schemaLabel(table)}.${table.name}`),
  (table) => safeFileName(`${table.set}.${schemaLabel(table)}.${table.name}`),
  (table) => {
    const names = JSON.stringify([table.set, schemaLabel(table), table.name]);
    const hash = createHash('sha256').update(names).digest('hex').slice(0, 8);
    return safeFileName(`${schemaLabel(table)}.${table.name}~${hash}`);
  },
];

/** As the least exact of file systems compares names. */
function folded(name: string): string {
  return name.normalize('NFC').toLowerCase();
}
