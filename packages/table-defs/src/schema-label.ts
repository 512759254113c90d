import { SCHEMA_PLACEHOLDER } from '@cdc-migrations/sql-text';
import type { TableDefinition, TableIdentity } from './table-definition.ts';

/** Returns the name of a table's schema for users and files: the service's name for a tenant's schema. */
export function schemaLabel({
  schema,
  service,
}: Pick<TableDefinition, 'schema' | 'service'>): string {
  return schema.scope === 'tenant' ? service : schema.name;
}

/** Returns a table's schema in SQL: `{{SCHEMA}}` for a tenant's schema. */
export function sqlSchema({ schema }: Pick<TableIdentity, 'schema'>): string {
  return schema.scope === 'tenant' ? SCHEMA_PLACEHOLDER : schema.name;
}
