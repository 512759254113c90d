import { safeFileName } from '@cdc-migrations/generated-file';
import { schemaLabel } from './schema-label.ts';
import type { TableDefinition } from './table-definition.ts';

/**
 * Names of the files of tables that share a folder, without ending: the table's name; where two tables have one
 * name (also when only case differs) both become `<schema>.<Table>`, and `<set>.<schema>.<Table>` where that is
 * still one name, be it of a table called `a.b`.
 */
export function fileStems(
  tables: readonly TableDefinition[],
): ReadonlyMap<TableDefinition, string> {
  const candidates = new Map(tables.map((table) => [table, candidatesOf(table)]));
  const claims = new Map<string, number>();
  for (const stem of [...candidates.values()].flat().map(fold)) {
    claims.set(stem, (claims.get(stem) ?? 0) + 1);
  }
  const isAlone = (stem: string) => claims.get(fold(stem)) === 1;
  return new Map([...candidates].map(([table, stems]) => [table, stems.find(isAlone) ?? stems[2]]));
}

/** From the shortest to the one that no other table has. */
function candidatesOf(table: TableDefinition): readonly [string, string, string] {
  const name = `${schemaLabel(table)}.${table.name}`;
  return [safeFileName(table.name), safeFileName(name), safeFileName(`${table.set}.${name}`)];
}

function fold(stem: string): string {
  return stem.toLowerCase();
}
