import { renderInfrastructure, renderSchemas, renderTable } from '@cdc-migrations/ddl-render';
import type { SqlFile } from '@cdc-migrations/sql-text';
import { renderStaging } from '@cdc-migrations/staging-render';
import type { MigrationSet, ReplicatedTable } from '@cdc-migrations/table-defs';
import type { MigrationFile } from './apply-files.ts';

export interface RenderOptions {
  readonly set: MigrationSet;
  readonly tables: readonly ReplicatedTable[];
  readonly tenants: readonly string[];
  /** `CDC_DB_USER`. */
  readonly role: string;
}

/** Renders the files that `generate` would write for another role or other tables, in the order of application. */
export function renderMigrations({
  set,
  tables,
  tenants,
  role,
}: RenderOptions): readonly MigrationFile[] {
  const file = (
    category: string,
    scope: MigrationFile['scope'],
    { path, text }: SqlFile,
  ): MigrationFile => ({ path, category, scope, text });
  const scopeOf = ({ schema }: ReplicatedTable) => schema.scope;
  return [
    file('schemas', 'database', renderSchemas(set, tenants, role)),
    file('infrastructure', 'database', renderInfrastructure(set, role)),
    ...tables.map((table) =>
      file('tables', scopeOf(table), renderTable(table, `tables/${table.name}.sql`)),
    ),
    ...tables.map((table) => {
      const path = `staging/${table.name}-staging.sql`;
      return file('staging', scopeOf(table), renderStaging(table, { path, role }));
    }),
  ];
}
