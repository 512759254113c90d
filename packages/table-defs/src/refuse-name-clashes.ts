import type { TableMapping } from './find-source.ts';
import { problemAt, type ProblemList } from './problems.ts';
import { schemaLabel } from './schema-label.ts';
import type { TableDefinition } from './table-definition.ts';
import { buildIndexes } from './table-structure.ts';

interface LocatedTable {
  readonly definition: TableDefinition;
  readonly place: TableMapping;
}

/**
 * Reports tables, staging tables, indexes and partitions of one schema with the same name, or with names that differ only in case.
 * Procedures are named after their tables, so their names clash if the tables' names do.
 */
export function refuseNameClashes(placed: readonly LocatedTable[], problems: ProblemList): void {
  const owners = new Map<string, TableDefinition>();
  for (const { definition: table, place } of placed) {
    const schema = schemaOf({ definition: table, place });
    const clash = namesOf(table)
      .map((name) => ({ name, id: [table.set, schema.id, name.toLowerCase()].join('\0') }))
      .find(({ id }) => owners.has(id));
    if (clash) {
      const message =
        `${describe(owners.get(clash.id)!)} and ${describe(table)} would both have an object "${clash.name}" in ` +
        `${schema.label}; PostgreSQL or users would confuse them`;
      problems.errors.push(problemAt(place.table.at, [], message));
      continue;
    }
    for (const name of namesOf(table)) {
      owners.set([table.set, schema.id, name.toLowerCase()].join('\0'), table);
    }
  }
}

/** Returns the schema of a table. With db-per-tenant, all services share the schemas of the customers. */
function schemaOf({ definition, place }: LocatedTable): {
  readonly id: string;
  readonly label: string;
} {
  if (definition.schema.scope === 'tenant' && place.catalog.pattern === 'db-per-tenant') {
    return { id: '', label: 'the schemas of the customers' };
  }
  const name = schemaLabel(definition);
  return { id: name, label: `the schema ${name}` };
}

function namesOf(table: TableDefinition): readonly string[] {
  if (table.kind === 'existing') return [table.name];
  return [
    table.name,
    table.names.staging,
    ...buildIndexes(table).map(({ name }) => name),
    ...(table.partitionBy?.partitions ?? []).map(({ name }) => name),
  ];
}

function describe(table: TableDefinition): string {
  const { source, name } = table;
  return `${schemaLabel(table)}.${name} (from ${source.schema}.${source.table})`;
}
