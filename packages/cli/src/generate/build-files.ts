import type { SourceGroup } from '@cdc-migrations/config';
import {
  renderInfrastructure,
  renderSchemas,
  renderTable,
  renderValidation,
} from '@cdc-migrations/ddl-render';
import type { GeneratedFile } from '@cdc-migrations/generated-file';
import { renderStaging } from '@cdc-migrations/staging-render';
import { type MigrationSet, type PlacedTable, type TableFile } from '@cdc-migrations/table-defs';
import { tenantsOf } from '../repo/tenants-of.ts';

/** `create-schemas.sql` of each set. */
export function buildSchemas(
  sets: readonly MigrationSet[],
  sourceGroups: readonly SourceGroup[],
  role: string,
): readonly GeneratedFile[] {
  return sets.map((set) => renderSchemas(set, tenantsOf(set, sourceGroups), role));
}

/** `cdc-management.sql` of each set. */
export function buildInfrastructure(
  sets: readonly MigrationSet[],
  role: string,
): readonly GeneratedFile[] {
  return sets.map((set) => renderInfrastructure(set, role));
}

/** Files of final tables, and of the checks of tables that exist already. */
export function buildTables(placed: readonly PlacedTable[]): readonly TableFile[] {
  return placed.map(({ table, paths }) => ({
    ...(table.kind === 'replicated'
      ? renderTable(table, paths.tables)
      : renderValidation(table, paths.validation)),
    table,
  }));
}

/** Staging files of the tables that are replicated. */
export function buildStaging(placed: readonly PlacedTable[], role: string): readonly TableFile[] {
  return placed.flatMap(({ table, paths }) =>
    table.kind === 'replicated'
      ? [{ ...renderStaging(table, { path: paths.staging, role }), table }]
      : [],
  );
}
