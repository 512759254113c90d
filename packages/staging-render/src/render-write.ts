import { loadTemplate, quoteIdentifier, quoteQualified } from '@cdc-migrations/sql-text';
import {
  POSITION_COLUMNS,
  type ColumnDefinition,
  type ReplicatedTable,
} from '@cdc-migrations/table-defs';
import { fillLines, listColumns } from './column-lines.ts';
import { keyValue, storedValue } from './staged-value.ts';

interface WriteView {
  readonly table: string;
  readonly staging: string;
  readonly columns: string;
  /** Values of a row, one line per column. Metadata columns share lines. */
  readonly valueLines: readonly string[];
  /** The key of an event as stored in the final table. Empty for a table without a key. */
  readonly key: string;
  readonly keyColumns: string;
  readonly updated: string;
  readonly excluded: string;
  readonly isSoft: boolean;
  readonly positionColumns: string;
}

const render = loadTemplate<WriteView>(
  new URL('../templates/write-window.sql.hbs', import.meta.url),
);

/**
 * Renders the statement that writes a window of staged events to the final table. It writes the newest event of each
 * key, unless the row is newer. `cdc_management` merges deletes first, together with the events that deletes or omitted
 * large values change.
 */
export function renderWrite(table: ReplicatedTable, schema: string): string {
  const isSoft = table.deleteMode === 'soft' && table.key !== null;
  const columns = table.columns.filter(({ name }) => isSoft || name !== '__deleted_at');
  const key = (table.key?.columns ?? []).map((name) =>
    columns.find((column) => column.name === name)!,
  );
  const updated = columns.filter((column) => !key.includes(column));
  const kept = (column: string) => keptValue(column, key, quoteQualified(schema, table.name));
  return render({
    table: quoteQualified(schema, table.name),
    staging: quoteQualified(schema, table.names.staging),
    columns: fillLines(columns.map(quoteName)).join('\n      '),
    valueLines: listColumns(columns, (column) =>
      column.name === '__deleted_at' ? 'NULL' : writtenValue(column, kept),
    ),
    key: key.map((column) => keyValue(`event.${quoteName(column)}`, column)).join(', '),
    keyColumns: key.map(quoteName).join(', '),
    updated: fillLines(updated.map(quoteName)).join('\n      '),
    excluded: fillLines(updated.map((column) => `excluded.${quoteName(column)}`)).join('\n      '),
    isSoft,
    positionColumns: POSITION_COLUMNS.map(quoteIdentifier).join(', '),
  }).trimEnd();
}

/** Renders the value to write. An event without a value keeps that of the row, else it gets the constant. */
function writtenValue(
  column: ColumnDefinition,
  kept: (column: string) => readonly string[],
): string {
  const value = storedValue(`event.${quoteName(column)}`, column);
  const { default: initial, backfill } = column;
  if (initial !== undefined) return `coalesce(${value}, ${initial})`;
  if (backfill === undefined) return value;
  return `coalesce(${[value, ...kept(quoteName(column)), backfill].join(', ')})`;
}

/** Renders the stored value of the event's row. Empty for a table without a key. */
function keptValue(
  column: string,
  key: readonly ColumnDefinition[],
  table: string,
): readonly string[] {
  if (key.length === 0) return [];
  const isRow = key.map(
    (part) => `kept.${quoteName(part)} = ${keyValue(`event.${quoteName(part)}`, part)}`,
  );
  return [`(SELECT kept.${column} FROM ${table} AS kept WHERE ${isRow.join(' AND ')})`];
}

function quoteName({ name }: Pick<ColumnDefinition, 'name'>): string {
  return quoteIdentifier(name);
}
