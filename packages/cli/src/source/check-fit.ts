import type { Catalog } from '@cdc-migrations/catalog';
import { ConfigError, formatProblem, type Config, type Service } from '@cdc-migrations/config';
import {
  buildDefinitions,
  classifyTypeChange,
  type ReplicatedTable,
  type TableDefinition,
} from '@cdc-migrations/table-defs';

/**
 * Returns the reasons why events of a database would not match the definitions, one sentence each. Builds definitions
 * as if the database were the validation database, and compares them with the existing ones.
 */
export function checkFit(
  config: Config,
  services: readonly Service[],
  {
    expected,
    found,
  }: { readonly expected: readonly Catalog[]; readonly found: readonly Catalog[] },
): readonly string[] {
  const narrowed = { ...config, services };
  const { tables } = buildDefinitions(narrowed, expected);
  try {
    const others = new Map(
      buildDefinitions(narrowed, found).tables.map((table) => [keyOf(table), table]),
    );
    return tables.flatMap((table) => {
      const other = others.get(keyOf(table));
      return table.kind === 'replicated' && other?.kind === 'replicated'
        ? compareReplicated(table, other)
        : [];
    });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map(formatProblem);
  }
}

function keyOf({ set, service, schema, name }: TableDefinition): string {
  return JSON.stringify([set, service, schema, name]);
}

function compareReplicated(table: ReplicatedTable, other: ReplicatedTable): readonly string[] {
  const label = `${table.source.schema}.${table.source.table}`;
  const reasons: string[] = [];
  for (const column of table.columns) {
    if (column.role !== 'source') continue;
    const found = other.columns.find(
      ({ name }) => name.toLowerCase() === column.name.toLowerCase(),
    );
    if (!found) {
      if (!column.nullable)
        reasons.push(`${label}.${column.name} is missing, and is NOT NULL in the final table`);
      continue;
    }
    if (found.type !== column.type && classifyTypeChange(found.type, column.type) === 'unsafe') {
      reasons.push(
        `${label}.${column.name} is ${found.type}, which does not fit into ${column.type}`,
      );
    }
    if (found.nullable && !column.nullable) {
      reasons.push(`${label}.${column.name} can be NULL, and is NOT NULL in the final table`);
    }
  }
  const [key, otherKey] = [describeKey(table), describeKey(other)];
  if (key !== otherKey)
    reasons.push(`${label} has the key (${otherKey}), and the final table (${key})`);
  return reasons;
}

function describeKey({ key }: ReplicatedTable): string {
  return key?.columns.map((name) => name.toLowerCase()).join(', ') ?? 'none';
}
