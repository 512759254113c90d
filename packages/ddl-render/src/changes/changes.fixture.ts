import {
  METADATA_COLUMNS,
  type ColumnDefinition,
  type ReplicatedTable,
} from '@cdc-migrations/table-defs';

/** A column of the source. */
export const column = (
  name: string,
  type: string,
  more: Partial<ColumnDefinition> = {},
): ColumnDefinition => ({ name, role: 'source', type, nullable: true, ...more });

export const ID = column('id', 'integer', { nullable: false });

/** A table `T` in each tenant's schema. */
export function table(
  columns: readonly ColumnDefinition[],
  more: Partial<ReplicatedTable> = {},
): ReplicatedTable {
  return {
    kind: 'replicated',
    set: 'sink_asma.directory',
    service: 'adopus',
    source: { database: 'AdOpusTest', schema: 'dbo', table: 'T' },
    schema: { scope: 'tenant' },
    name: 'T',
    names: {
      staging: 'stg_T',
      trigger: 'trg_mark_for_merge',
      mergeProcedure: 'sp_merge_t',
      mergeWindow: 'fn_merge_window_t',
      primaryKey: 'pk_T',
      syncIndex: 'idx_T_sync_timestamp',
      positionIndex: 'uq_T_stream_position',
    },
    columns: [...columns, ...METADATA_COLUMNS],
    key: { columns: ['id'], origin: 'primary key' },
    deleteMode: 'hard',
    staging: 'unlogged',
    transforms: [],
    ...more,
  };
}
