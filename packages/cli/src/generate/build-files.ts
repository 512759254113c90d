import type { SourceGroup } from '@cdc-migrations/config';
import {
  renderInfrastructure,
  renderSchemas,
  renderTable,
  renderValidation,
} from '@cdc-migrations/ddl-render';
import type { GeneratedFile } from '@cdc-migrations/generated-file';
import { renderStaging } from '@cdc-migrations/staging-render';
import {
  fileStems,
  type MigrationSet,
  type TableDefinition,
  type TableFile,
} from '@cdc-migrations/table-defs';
import { tenantsOf } from './tenants-of.ts';

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
  return placed.map(({ table, folder, stem }) => ({
    ...(table.kind === 'replicated'
      ? renderTable(table, `${folder}/tables/${stem}.sql`)
      : renderValidation(table, `${folder}/validation/${stem}.sql`)),
    table,
  }));
}

/** Staging files of the tables that are replicated. */
export function buildStaging(placed: readonly PlacedTable[], role: string): readonly TableFile[] {
  return placed.flatMap(({ table, folder, stem }) =>
    table.kind === 'replicated'
      ? [
          {
            ...renderStaging(table, { path: `${folder}/staging/${stem}-staging.sql`, role }),
            table,
          },
        ]
      : [],
  );
}

/** A table and where its files are: in the folder of its set, named by the stem. */
export interface PlacedTable {
  readonly table: TableDefinition;
  readonly folder: string;
  readonly stem: string;
}

/** The tables of each set, with the names of their files. */
export function placeTables(
  sets: readonly MigrationSet[],
  tables: readonly TableDefinition[],
): readonly PlacedTable[] {
  return sets.flatMap(({ name, folder }) => {
    const ofSet = tables.filter(({ set }) => set === name);
    const stems = fileStems(ofSet);
    return ofSet.map((table) => ({ table, folder, stem: stems.get(table)! }));
  });
}
