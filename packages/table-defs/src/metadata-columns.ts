import type { ColumnDefinition } from './table-definition.ts';

/** Columns that we add to every final table, in this order. */
export const METADATA_COLUMNS: readonly ColumnDefinition[] = [
  {
    name: '__sync_timestamp',
    role: 'metadata',
    type: 'timestamp with time zone',
    nullable: false,
    default: 'now()',
  },
  { name: '__source', role: 'metadata', type: 'text', nullable: true },
  { name: '__source_db', role: 'metadata', type: 'text', nullable: true },
  { name: '__source_table', role: 'metadata', type: 'text', nullable: true },
  { name: '__source_ts_ms', role: 'metadata', type: 'bigint', nullable: true },
  { name: '__cdc_operation', role: 'metadata', type: 'text', nullable: true },
  { name: '__stream_generation', role: 'metadata', type: 'integer', nullable: true },
  { name: '__kafka_partition', role: 'metadata', type: 'integer', nullable: true },
  { name: '__kafka_offset', role: 'metadata', type: 'bigint', nullable: true },
];

/** Time when the source deleted a row, in a table with `delete_mode: soft`. NULL while the row exists. */
export const DELETED_AT: ColumnDefinition = {
  name: '__deleted_at',
  role: 'metadata',
  type: 'timestamp with time zone',
  nullable: true,
};

/** Time when Kafka received the event. Only staging tables have this column. */
export const KAFKA_TIMESTAMP: ColumnDefinition = {
  name: '__kafka_timestamp',
  role: 'metadata',
  type: 'timestamp with time zone',
  nullable: true,
};

/** Names that the merge adds to an event while it processes it. */
const MERGE_NAMES = ['__rejection', '__is_delete', '__stored', '__held', '__position'];

/** Names that no other column may have, in lower case. */
export const RESERVED_NAMES: ReadonlySet<string> = new Set([
  ...[...METADATA_COLUMNS, DELETED_AT, KAFKA_TIMESTAMP].map(({ name }) => name),
  ...MERGE_NAMES,
]);

/** Columns that identify an event by its stream and its position. */
export const POSITION_COLUMNS: readonly string[] = [
  '__source_db',
  '__source_table',
  '__kafka_partition',
  '__stream_generation',
  '__kafka_offset',
];
