import { SCHEMA_PLACEHOLDER } from '@cdc-migrations/sql-text';
import type { TableIdentity } from './table-definition.ts';

/** Returns a table's schema in SQL: `{{SCHEMA}}` for a tenant's schema. */
export function sqlSchema({ schema }: Pick<TableIdentity, 'schema'>): string {
  return schema.scope === 'tenant' ? SCHEMA_PLACEHOLDER : schema.name;
}
