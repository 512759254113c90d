import type { ChangeEvent, FinalRow } from '@cdc-migrations/event-model';
import { quoteIdentifier, quoteQualified } from '@cdc-migrations/sql-text';
import { DELETED_AT, type ReplicatedTable } from '@cdc-migrations/table-defs';
import type { Sql } from 'postgres';
import { renderInsert } from './stage-events.ts';

const ROWS_PER_STATEMENT = 500;
const SHOWN = 3;

/** Columns whose values say where a row comes from, by the event that they are of. */
const POSITION: readonly string[] = ['__kafka_partition', '__kafka_offset'];

/**
 * How the rows of a final table differ from those that it must hold: `missing` or `unexpected`, a few of each.
 *
 * Both sides are compared as the text that PostgreSQL gives for values of the final table's types, so that
 * nothing is rounded, trimmed or taken for equal on the way; the time of a deletion only by whether there is one.
 */
export async function compareFinalTable(
  sql: Sql,
  schema: string,
  definition: ReplicatedTable,
  rows: readonly FinalRow[],
): Promise<readonly string[]> {
  const columns = comparedColumns(definition);
  const soft = definition.deleteMode === 'soft';
  const names = soft ? [...columns, DELETED_AT.name] : columns;
  const final = quoteQualified(schema, definition.name);
  return await sql.begin(async (transaction) => {
    await transaction.unsafe(
      `CREATE TEMP TABLE expected ON COMMIT DROP AS
       SELECT ${names.map(quoteIdentifier).join(', ')} FROM ${final} WITH NO DATA`,
    );
    for (let first = 0; first < rows.length; first += ROWS_PER_STATEMENT) {
      const values = rows
        .slice(first, first + ROWS_PER_STATEMENT)
        .map((row) => expectedValues(row, columns, soft));
      await transaction.unsafe(renderInsert('expected', values)).simple();
    }
    const list = [
      ...columns.map((name) => `${quoteIdentifier(name)}::text`),
      ...(soft ? [`(${quoteIdentifier(DELETED_AT.name)} IS NOT NULL)::text`] : []),
    ].join(', ');
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

/** All that an event decides: not when it was merged, and not the generation, which no event carries. */
function comparedColumns({ columns }: ReplicatedTable): readonly string[] {
  return columns
    .filter(({ name, role }) => role !== 'metadata' || POSITION.includes(name))
    .map(({ name }) => name);
}

function expectedValues(
  { upsert, last, deleted }: FinalRow,
  columns: readonly string[],
  soft: boolean,
): Readonly<Record<string, string | null>> {
  const valueOf = (name: string, event: ChangeEvent) => event.values[name] ?? null;
  const values = columns.map((name) => [
    name,
    valueOf(name, POSITION.includes(name) ? last : upsert),
  ]);
  const mark = soft ? { [DELETED_AT.name]: deleted ? 'now' : null } : {};
  return { ...Object.fromEntries(values), ...mark };
}

function cut(text: string): string {
  return text.length > 2000 ? `${text.slice(0, 2000)}…` : text;
}
