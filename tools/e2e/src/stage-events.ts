import type { ChangeEvent } from '@cdc-migrations/event-model';
import { quoteIdentifier, quoteLiteral, quoteQualified } from '@cdc-migrations/sql-text';
import type { ReplicatedTable } from '@cdc-migrations/table-defs';
import type { Sql } from 'postgres';

const ROWS_PER_STATEMENT = 250;

/** Inserts events into a staging table like the sink, in multi-row statements with one commit each. */
export async function stageEvents(
  sql: Sql,
  schema: string,
  { names }: ReplicatedTable,
  events: readonly ChangeEvent[],
): Promise<void> {
  const table = quoteQualified(schema, names.staging);
  for (let first = 0; first < events.length; first += ROWS_PER_STATEMENT) {
    const rows = events.slice(first, first + ROWS_PER_STATEMENT).map(({ values }) => values);
    await sql.unsafe(renderInsert(table, rows)).simple();
  }
}

/** Renders one INSERT of rows with values as text. The first row determines the columns. */
export function renderInsert(
  table: string,
  rows: readonly Readonly<Record<string, string | null>>[],
): string {
  const columns = Object.keys(rows[0] ?? {});
  const tuples = rows.map((row) => `(${columns.map((name) => literal(row[name])).join(', ')})`);
  return (
    `INSERT INTO ${table} (${columns.map(quoteIdentifier).join(', ')}) VALUES\n` +
    tuples.join(',\n')
  );
}

function literal(value: string | null | undefined): string {
  return value === null || value === undefined ? 'NULL' : quoteLiteral(value);
}
