import { SCHEMA_PLACEHOLDER } from '@cdc-migrations/sql-text';
import type { TableIdentity } from './table-definition.ts';

/** Names a table's schema in SQL: `{{SCHEMA}}` for that of a tenant. */
export function sqlSchema({ schema }: Pick<TableIdentity, 'schema'>): string {
  return schema.scope === 'tenant' ? SCHEMA_PLACEHOLDER : schema.name;
}
