import type { TableDefinition } from './table-definition.ts';

/** Names a table's schema for users and files: that of the service where the tenant's schema takes its place. */
export function schemaLabel({
  schema,
  service,
}: Pick<TableDefinition, 'schema' | 'service'>): string {
  return schema.scope === 'tenant' ? service : schema.name;
}
