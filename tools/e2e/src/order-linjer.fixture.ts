import {
  type ColumnDefinition,
  METADATA_COLUMNS,
  type ReplicatedTable,
} from '@cdc-migrations/table-defs';

const source = (
  name: string,
  type: string,
  sourceType: string,
  nullable = true,
): ColumnDefinition => ({
  name,
  role: 'source',
  type,
  nullable,
  source: { name, type: sourceType },
  exactness: 'exact',
});

/** A table whose name needs quotes, with a column for each way in which an event can be bad. */
export const ORDER_LINJER: ReplicatedTable = {
  kind: 'replicated',
  set: 'sink_test.target',
  service: 'test',
  source: { database: 'Test', schema: 'dbo', table: 'Order-Linjer' },
  schema: { scope: 'tenant' },
  name: 'Order-Linjer',
  names: {
    staging: 'stg_Order-Linjer',
    trigger: 'trg_mark_for_merge',
    mergeProcedure: 'sp_merge_order-linjer',
    mergeWindow: 'fn_merge_window_order-linjer',
    primaryKey: 'pk_Order-Linjer',
    syncIndex: 'idx_Order-Linjer_sync_timestamp',
    positionIndex: 'uq_Order-Linjer_stream_position',
  },
  columns: [
    source('OrderID', 'integer', 'int', false),
    source('LinjeNr', 'smallint', 'smallint', false),
    source('Beløp', 'numeric(5,2)', 'decimal(5,2)'),
    source('Tekst', 'character varying(10)', 'nvarchar(10)'),
    source('Status', 'character varying(20)', 'varchar(20)', false),
    source('Notat', 'text', 'nvarchar(max)'),
    source('Dokument', 'xml', 'xml'),
    source('Data', 'jsonb', 'json'),
    source('Antall', 'smallint', 'tinyint'),
    { name: '_customer_id', role: 'template', type: 'uuid', nullable: false },
    ...METADATA_COLUMNS,
  ],
  key: { columns: ['OrderID', 'LinjeNr'], origin: 'primary key' },
  deleteMode: 'hard',
  staging: 'unlogged',
  transforms: [],
};

/** A table like `ORDER_LINJER` under another name. */
export function orderTable(name: string): ReplicatedTable {
  return {
    ...ORDER_LINJER,
    name,
    names: {
      ...ORDER_LINJER.names,
      staging: `stg_${name}`,
      mergeProcedure: `sp_merge_${name.toLowerCase()}`,
      mergeWindow: `fn_merge_window_${name.toLowerCase()}`,
      primaryKey: `pk_${name}`,
      syncIndex: `idx_${name}_sync_timestamp`,
      positionIndex: `uq_${name}_stream_position`,
    },
  };
}
