import type { CatalogColumn, CatalogTable } from '@cdc-migrations/catalog';
import type { ChangeEvent } from '@cdc-migrations/event-model';
import {
  KAFKA_TIMESTAMP,
  METADATA_COLUMNS,
  type ReplicatedTable,
} from '@cdc-migrations/table-defs';
import { toDebeziumValue, toUnavailableValue } from './debezium-value.ts';
import type { SourceChange, SourceRow, SourceValue } from './parse-pgoutput.ts';
import { toStagedText } from './staged-text.ts';

const PARTITIONS = 3;

export interface SourceTable {
  readonly database: string;
  readonly table: CatalogTable;
}

/**
 * Builds the events that a connector creates from the changes of one table, as a sink pipeline inserts them into the
 * staging table of `definition`. A changed key becomes a delete and an insert.
 *
 * @param templates values of template columns.
 */
export function buildSourceEvents(
  { database, table }: SourceTable,
  definition: ReplicatedTable,
  changes: readonly SourceChange[],
  templates: Readonly<Record<string, string>>,
): readonly ChangeEvent[] {
  const key = table.primaryKey!.columns;
  const offsets = Array.from({ length: PARTITIONS }, () => 0);
  return changes
    .flatMap((change) => splitChange(change, key))
    .map(({ operation, row }) => {
      const partition = partitionOf(key.map((name) => textOf(row[name])));
      const offset = (offsets[partition]! += 1);
      const isDelete = operation === 'd';
      const metadata: Readonly<Record<string, string | null>> = {
        ...Object.fromEntries(
          [...METADATA_COLUMNS, KAFKA_TIMESTAMP].map(({ name }) => [name, null]),
        ),
        __source_db: database,
        __source_table: table.name,
        __cdc_operation: operation,
        __stream_generation: '0',
        __kafka_partition: String(partition),
        __kafka_offset: String(offset),
      };
      const values = { ...stageRow(row, definition, table.columns), ...metadata };
      return {
        kind: isDelete ? 'delete' : 'upsert',
        partition,
        offset,
        values: { ...values, ...(isDelete ? mapValues(templates, () => null) : templates) },
      };
    });
}

interface SourceEvent {
  readonly operation: 'c' | 'u' | 'd';
  readonly row: SourceRow;
}

function splitChange(
  { operation, before, after }: SourceChange,
  key: readonly string[],
): readonly SourceEvent[] {
  if (operation === 'delete') return [{ operation: 'd', row: before! }];
  if (operation === 'insert') return [{ operation: 'c', row: after! }];
  const row = mapValues(after!, (value, name) =>
    value === 'unchanged' ? (before?.[name] ?? value) : value,
  );
  const keyChanged = before && key.some((name) => textOf(before[name]) !== textOf(row[name]));
  return keyChanged
    ? [
        { operation: 'd', row: before },
        { operation: 'c', row },
      ]
    : [{ operation: 'u', row }];
}

function stageRow(
  row: SourceRow,
  { columns }: ReplicatedTable,
  catalog: readonly CatalogColumn[],
): Readonly<Record<string, string | null>> {
  const ofSource = columns.filter(({ role }) => role === 'source');
  return Object.fromEntries(
    ofSource.map(({ name, source }) => {
      const column = catalog.find((found) => found.name === source!.name)!;
      return [name, stageValue(column, row[column.name] ?? null)];
    }),
  );
}

function stageValue(column: CatalogColumn, value: SourceValue): string | null {
  if (value === null) return null;
  const sent =
    value === 'unchanged' ? toUnavailableValue(column) : toDebeziumValue(column, value.text);
  return toStagedText(column, sent);
}

function textOf(value: SourceValue | undefined): string {
  if (typeof value !== 'object' || value === null) throw new Error('a key without its value');
  return value.text;
}

function partitionOf(key: readonly string[]): number {
  const bytes = Buffer.from(JSON.stringify(key));
  return bytes.reduce((hash, byte) => (hash * 31 + byte) % 65_521, 0) % PARTITIONS;
}

function mapValues<Value, Result>(
  record: Readonly<Record<string, Value>>,
  change: (value: Value, name: string) => Result,
): Readonly<Record<string, Result>> {
  return Object.fromEntries(
    Object.entries(record).map(([name, value]) => [name, change(value, name)]),
  );
}
