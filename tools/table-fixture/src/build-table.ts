import {
  type ColumnDefinition,
  DELETED_AT,
  METADATA_COLUMNS,
  type ObjectNames,
  type ReplicatedTable,
} from '@cdc-migrations/table-defs';

/** Facts of a test's table. The others have defaults. */
export interface TableFacts extends Partial<Omit<ReplicatedTable, 'kind' | 'columns' | 'key'>> {
  /** Columns without the metadata columns, which are appended. */
  readonly columns: readonly ColumnDefinition[];
  /** Columns of the primary key. The default is `id`. An empty list means a table without a key. */
  readonly key?: readonly string[];
}

/** Builds a replicated table. The default is a tenant's `T` with the primary key `id`. */
export function buildTable({ columns, key = ['id'], ...facts }: TableFacts): ReplicatedTable {
  const { name = 'T', deleteMode = 'hard' } = facts;
  return {
    kind: 'replicated',
    set: 'sink_asma.directory',
    service: 'adopus',
    source: { database: 'AdOpusTest', schema: 'dbo', table: name },
    schema: { scope: 'tenant' },
    name,
    names: buildNames(name),
    columns: [...columns, ...METADATA_COLUMNS, ...(deleteMode === 'soft' ? [DELETED_AT] : [])],
    key: key.length > 0 ? { columns: key, origin: 'primary key' } : null,
    deleteMode,
    staging: 'unlogged',
    transforms: [],
    ...facts,
  };
}

/** Builds the names of the objects of a table with a short name. */
export function buildNames(table: string): ObjectNames {
  return {
    staging: `stg_${table}`,
    trigger: 'trg_mark_for_merge',
    mergeProcedure: `sp_merge_${table.toLowerCase()}`,
    mergeWindow: `fn_merge_window_${table.toLowerCase()}`,
    primaryKey: `pk_${table}`,
    syncIndex: `idx_${table}_sync_timestamp`,
    positionIndex: `uq_${table}_stream_position`,
  };
}
