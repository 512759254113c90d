import type { Catalog } from '@cdc-migrations/catalog';
import type { Config } from '@cdc-migrations/config';
import {
  buildStagingColumns,
  type Definitions,
  type ReplicatedTable,
  type StagingColumn,
} from '@cdc-migrations/table-defs';
import { tenantsOf } from '../repo/tenants-of.ts';

/** A staging table from the view of its writers. */
export interface StagingTarget {
  readonly table: ReplicatedTable;
  /** Schemas that contain it. */
  readonly schemas: readonly string[];
  readonly columns: readonly StagingColumn[];
  /** Source columns that it does not have, with the reason. */
  readonly absent: ReadonlyMap<string, Absence>;
}

export interface Absence {
  readonly code: 'computed' | 'ignored';
  readonly reason: string;
}

/** Builds all staging tables of the definitions. */
export function buildTargets(
  config: Config,
  catalogs: readonly Catalog[],
  { tables, sets }: Definitions,
): readonly StagingTarget[] {
  return tables.flatMap((table) => {
    if (table.kind !== 'replicated') return [];
    const set = sets.find(({ name }) => name === table.set)!;
    const tenants =
      set.pattern === 'db-shared' ? [table.service] : tenantsOf(set, config.sourceGroups);
    return {
      table,
      schemas: table.schema.scope === 'tenant' ? tenants : [table.schema.name],
      columns: buildStagingColumns(table),
      absent: listAbsent(table, config, catalogs),
    };
  });
}

function listAbsent(
  { source, service, columns }: ReplicatedTable,
  { services }: Config,
  catalogs: readonly Catalog[],
): ReadonlyMap<string, Absence> {
  const selection = services
    .find(({ name }) => name === service)
    ?.tables.find(({ schema, table }) => schema === source.schema && table === source.table);
  const all = catalogs
    .find(({ database, schema }) => database === source.database && schema === source.schema)
    ?.tables.find(({ name }) => name === source.table);
  const staged = new Set(columns.map((column) => column.source?.name));
  const rows = (all?.columns ?? [])
    .filter(({ name }) => !staged.has(name))
    .map(({ name, computed }): [string, Absence] => {
      if (computed !== undefined) {
        const reason = 'it is computed at the source, and CDC does not replicate it';
        return [name, { code: 'computed', reason }];
      }
      const key = selection?.ignoreColumns.includes(name)
        ? 'in ignore_columns'
        : 'not in include_columns';
      return [name, { code: 'ignored', reason: `it is ${key} of ${selection?.at.file}` }];
    });
  return new Map(rows);
}
