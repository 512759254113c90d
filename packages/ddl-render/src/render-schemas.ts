import { buildSqlFile, dollarTag, loadTemplate, type SqlFile } from '@cdc-migrations/sql-text';
import { MANAGEMENT_SCHEMA, type MigrationSet } from '@cdc-migrations/table-defs';

interface SchemasView {
  readonly role: string;
  /** Dollar quotes for a block with the role. */
  readonly tag: string;
  readonly schemas: readonly { readonly name: string }[];
}

const render = loadTemplate<SchemasView>(
  new URL('../templates/create-schemas.sql.hbs', import.meta.url),
);

/**
 * Renders `create-schemas.sql` of a migration set: the schema for bookkeeping, the literal schemas of its tables, and
 * the schemas of all tenants in all environments.
 */
export function renderSchemas(
  set: MigrationSet,
  tenants: readonly string[],
  role: string,
): SqlFile {
  const names = new Set([MANAGEMENT_SCHEMA, ...set.literalSchemas, ...[...tenants].sort()]);
  // Handlebars would use a string as the view and find none of the outer names, so these are objects.
  const schemas = [...names].map((name) => ({ name }));
  const facts = { target: set.name };
  const view = { role, tag: dollarTag(role, 'role'), schemas };
  return buildSqlFile(`${set.folder}/schemas/create-schemas.sql`, facts, render(view));
}
