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
    'time when the sink pipeline sent the event, or the time of the merge if the pipeline does not set it',
  __source: 'name of the source, set by the sink pipeline',
  __source_db: 'source database; part of the stream',
  __source_table: 'source table; part of the stream',
  __source_ts_ms:
    'time of the change in the source, in milliseconds since 1970; has no effect on the order of events',
  __cdc_operation: 'operation of the event, as the sink pipeline writes it (listed below)',
  __stream_generation: 'generation of the stream; 0 if the sink pipeline omits it or writes NULL',
  __kafka_partition: 'partition; part of the stream',
  __kafka_offset: 'offset within the partition',
  __deleted_at:
    'time when the delete was merged, or NULL if the row is not deleted; only with `delete_mode: soft`',
  __kafka_timestamp: 'time of the event in Kafka; only in staging tables',
};

/** Renders the metadata columns of final and staging tables. */
export function renderMetadataColumns(): string {
  return markdownTable(
    ['column', 'type', 'meaning'],
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
