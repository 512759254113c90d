import type { TableDefinition } from './table-definition.ts';

/** Returns the name of a table's schema for users and files: the service's name for a tenant's schema. */
export function schemaLabel({
  schema,
  service,
}: Pick<TableDefinition, 'schema' | 'service'>): string {
  return schema.scope === 'tenant' ? service : schema.name;
}
