import { type FinalRow, storedValue } from '@cdc-migrations/event-model';
import { quoteIdentifier, quoteQualified } from '@cdc-migrations/sql-text';
import {
  type ColumnDefinition,
  DELETED_AT,
  type ReplicatedTable,
} from '@cdc-migrations/table-defs';
import type { Sql } from 'postgres';
import { renderInsert } from './stage-events.ts';

const ROWS_PER_STATEMENT = 500;
const SHOWN = 3;

/** Default generation of a staging table. */
const GENERATION = { __stream_generation: '0' };

/**
 * Compares the rows of a final table with the expected ones. Returns a few `missing` and a few `unexpected` rows.
 *
 * Both sides are compared as text that PostgreSQL returns for values of the final table's types, so that nothing is
 * rounded or trimmed in between. Deletion times are only compared by presence. Columns in `uncompared` are skipped.
 */
export async function compareFinalTable(
  sql: Sql,
  schema: string,
  definition: ReplicatedTable,
  rows: readonly FinalRow[],
  uncompared: readonly string[] = [],
): Promise<readonly string[]> {
  const columns = definition.columns.filter(({ name }) => !uncompared.includes(name));
  const names = columns.map(({ name }) => name);
  const final = quoteQualified(schema, definition.name);
  return await sql.begin(async (transaction) => {
    await transaction.unsafe(
      `CREATE TEMP TABLE expected ON COMMIT DROP AS
       SELECT ${names.map(quoteIdentifier).join(', ')} FROM ${final} WITH NO DATA`,
    );
    for (let first = 0; first < rows.length; first += ROWS_PER_STATEMENT) {
      const values = rows
        .slice(first, first + ROWS_PER_STATEMENT)
        .map((row) => buildRow(columns, row));
      await transaction.unsafe(renderInsert('expected', values)).simple();
    }
    const list = names
      .map((name) => comparedText(name, definition.deleteMode === 'soft'))
      .join(', ');
    const found = await transaction.unsafe<{ side: string; row: string }[]>(
      `(SELECT 'missing' AS side, row_to_json(d)::text AS row FROM
         (SELECT ${list} FROM expected EXCEPT ALL SELECT ${list} FROM ${final}) d LIMIT ${SHOWN})
       UNION ALL
       (SELECT 'unexpected', row_to_json(d)::text FROM
         (SELECT ${list} FROM ${final} EXCEPT ALL SELECT ${list} FROM expected) d LIMIT ${SHOWN})`,
    );
    return found.map(({ side, row }) => `${schema}.${definition.name} ${side}: ${cut(row)}`);
  });
}

/** Builds a row for an INSERT into a table like the final one. */
function buildRow(
  columns: readonly ColumnDefinition[],
  { upsert, deleted }: FinalRow,
): Readonly<Record<string, string | null>> {
  const values: Readonly<Record<string, string | null>> = {
    ...GENERATION,
    [DELETED_AT.name]: deleted ? 'now' : null,
    ...upsert.values,
  };
  return Object.fromEntries(
    columns.map((column) => {
      const value = values[column.name] ?? null;
      return [column.name, value === null ? null : storedValue(column, value)];
    }),
  );
}

function comparedText(name: string, isSoft: boolean): string {
  const column = quoteIdentifier(name);
  const deletedAt = quoteIdentifier(DELETED_AT.name);
  if (name === DELETED_AT.name) return `(${deletedAt} IS NOT NULL)::text`;
  if (name === '__sync_timestamp' && isSoft)
    return `CASE WHEN ${deletedAt} IS NULL THEN ${column}::text END`;
  return `${column}::text`;
}

function cut(text: string): string {
  return text.length > 2000 ? `${text.slice(0, 2000)}…` : text;
}
