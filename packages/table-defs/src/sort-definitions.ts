import type { TableDefinition } from './table-definition.ts';

/**
 * Sorts definitions by set, service, schema and name, with tenants' schemas first. The order is the same on every
 * machine.
 */
export function sortDefinitions<Table extends TableDefinition>(
  tables: readonly Table[],
): readonly Table[] {
  return tables
    .map((table) => ({ table, key: sortKey(table) }))
    .sort((a, b) => compareText(a.key, b.key))
    .map(({ table }) => table);
}

function sortKey({ set, service, schema, name }: TableDefinition): string {
  return [set, service, schema.scope === 'tenant' ? '' : schema.name, name].join('\0');
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
