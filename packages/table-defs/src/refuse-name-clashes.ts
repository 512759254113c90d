import type { ConfigPath } from '@cdc-migrations/config';
import { problemAt, type ProblemList } from './problems.ts';
import { schemaLabel } from './schema-label.ts';
import type { ReplicatedTable, TableDefinition } from './table-definition.ts';

/**
 * Refuses tables, staging tables, indexes and procedures of one schema that would have one name, or names that
 * differ only in case.
 */
export function refuseNameClashes(
  tables: readonly { readonly definition: TableDefinition; readonly at: ConfigPath }[],
  problems: ProblemList,
): void {
  const relations = new Map<string, ReplicatedTable>();
  for (const { definition: table, at } of tables) {
    if (table.kind !== 'replicated') continue;
    for (const name of namesOf(table)) {
      const id = [table.set, schemaLabel(table), name.toLowerCase()].join('\0');
      const other = relations.get(id);
      relations.set(id, other ?? table);
      if (!other) continue;
      const message =
        `${describe(other)} and ${describe(table)} would both have an object "${name}" in the schema ` +
        `${schemaLabel(table)}; PostgreSQL or people would mix them up`;
      problems.errors.push(problemAt(at, [], message));
      break;
    }
  }
}

function namesOf({ name, names, key }: ReplicatedTable): readonly string[] {
  return [name, names.staging, names.syncIndex, key ? names.primaryKey : names.positionIndex];
}

function describe({ source, name }: TableDefinition): string {
  return `"${name}" (from ${source.schema}.${source.table})`;
}
