import { safeFileName } from '@cdc-migrations/generated-file';
import { schemaLabel } from './schema-label.ts';
import type { TableDefinition } from './table-definition.ts';

/**
 * Builds file names without extension for tables in one folder. The name is the table's name. Tables with the same
 * name, also if only case differs, both become `<schema>.<Table>`, or `<set>.<schema>.<Table>` if that is not unique
 * either, for example because of a table called `a.b`.
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

/** Lists the possible names, the shortest first. The last one is unique. */
function candidatesOf(table: TableDefinition): readonly [string, string, string] {
  const name = `${schemaLabel(table)}.${table.name}`;
  return [safeFileName(table.name), safeFileName(name), safeFileName(`${table.set}.${name}`)];
}

function fold(stem: string): string {
  return stem.toLowerCase();
}
