import {
  DELETED_AT,
  KAFKA_TIMESTAMP,
  METADATA_COLUMNS,
  OPERATIONS,
  RESERVED_NAMES,
  type ColumnDefinition,
} from '@cdc-migrations/table-defs';
import { code, markdownTable } from './markdown-table.ts';

/** Meaning of each metadata column. */
const MEANINGS: Readonly<Record<string, string>> = {
  __sync_timestamp:
    'when the sink pipeline sent the event; `now()` of the merge where it sent none',
  __source: 'the source, as the sink pipeline calls it',
  __source_db: 'source database; part of the stream',
  __source_table: 'source table; part of the stream',
  __source_ts_ms:
    'when the source made the change, in milliseconds since 1970; not used for the order',
  __cdc_operation: 'what happened to the row, as the sink pipeline writes it; see below',
  __stream_generation: 'generation of the stream; 0 where the sink pipeline sends none, or NULL',
  __kafka_partition: 'partition; part of the stream',
  __kafka_offset: 'offset within the partition',
  __deleted_at:
    'tables with `delete_mode: soft`: when the delete was merged, NULL while the row is there',
  __kafka_timestamp: 'staging only: when Kafka took the event',
};

/** Renders the metadata columns of final and staging tables. */
export function renderMetadataColumns(): string {
  return markdownTable(
    ['column', 'type', ''],
    [...METADATA_COLUMNS, DELETED_AT, KAFKA_TIMESTAMP].map((column) => {
      const meaning = MEANINGS[column.name];
      if (meaning === undefined) throw new Error(`render-columns.ts: what is ${column.name}?`);
      return [code(column.name), code(declarationOf(column)), meaning];
    }),
  );
}

/** Renders the operations of events with their spellings and effects. */
export function renderOperations(): string {
  return markdownTable(
    ['operation', '`__cdc_operation`', 'with a key', 'without a key'],
    Object.entries(OPERATIONS).map(([operation, { names, merge, withoutKey }]) => [
      operation,
      names.map(code).join(', '),
      merge,
      withoutKey,
    ]),
  );
}

/** Renders the reserved column names. */
export function renderReservedNames(): string {
  return [...RESERVED_NAMES].map(code).join(', ');
}

function declarationOf({ type, nullable, default: initial }: ColumnDefinition): string {
  const parts = [type, nullable ? '' : 'NOT NULL', initial ? `DEFAULT ${initial}` : ''];
  return parts.filter(Boolean).join(' ');
}
