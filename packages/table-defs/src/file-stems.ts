import { safeFileName } from '@cdc-migrations/generated-file';
import { groupBy } from './group-by.ts';
import { schemaLabel } from './schema-label.ts';
import type { TableDefinition } from './table-definition.ts';

/**
 * Names of the files of tables that share a folder, without ending: the table's name; where two tables have one
 * name (also when only case differs) both become `<schema>.<Table>`, and `<set>.<schema>.<Table>` where that is
 * still one name.
 */
export function fileStems(
  tables: readonly TableDefinition[],
): ReadonlyMap<TableDefinition, string> {
  const stems = new Map<TableDefinition, string>();
  const qualifications: readonly ((table: TableDefinition) => string)[] = [
    ({ name }) => name,
    (table) => `${schemaLabel(table)}.${table.name}`,
    (table) => `${table.set}.${schemaLabel(table)}.${table.name}`,
  ];
  let open = tables;
  for (const qualify of qualifications) {
    const groups = groupBy(open, (table) => safeFileName(qualify(table)).toLowerCase());
    open = [];
    for (const group of groups.values()) {
      if (group.length === 1) stems.set(group[0]!, safeFileName(qualify(group[0]!)));
      else open = [...open, ...group];
    }
  }
  return stems;
}
