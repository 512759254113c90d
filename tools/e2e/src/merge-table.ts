import { quoteQualified } from '@cdc-migrations/sql-text';
import type { ReplicatedTable } from '@cdc-migrations/table-defs';
import type { Sql } from 'postgres';

/** Runs a table's merge procedure once, outside a transaction block. */
export async function mergeTable(
  sql: Sql,
  schema: string,
  { names }: ReplicatedTable,
): Promise<void> {
  await sql.unsafe(`CALL ${quoteQualified(schema, names.mergeProcedure)}()`).simple();
}

/** Merges a table until nothing is staged. A merge that retries events one by one ends after a while. */
export async function mergeAll(
  sql: Sql,
  owner: Sql,
  schema: string,
  table: ReplicatedTable,
): Promise<void> {
  const staging = quoteQualified(schema, table.names.staging);
  const isStaged = async () => {
    const [row] = await owner.unsafe<{ staged: boolean }[]>(
      `SELECT EXISTS (SELECT FROM ${staging}) AS staged`,
    );
    return row!.staged;
  };
  for (let left = 100; left > 0 && (await isStaged()); left--) await mergeTable(sql, schema, table);
  if (await isStaged()) throw new Error(`${staging} keeps events`);
}

/** Result of replaying dead letters. */
export interface Replay {
  readonly replayed: number;
  readonly merged: number;
  readonly deleted: number;
  readonly stale: number;
  readonly dead: number;
}

/** Replays the oldest dead letters of a table up to the id `last`, in one transaction. */
export async function replayDeadLetters(
  sql: Sql,
  schema: string,
  { name }: Pick<ReplicatedTable, 'name'>,
  { last = 1_000_000_000, limit = 1000 }: { readonly last?: number; readonly limit?: number } = {},
): Promise<Replay> {
  return await sql.begin('isolation level repeatable read', async (transaction) => {
    const [counts] = await transaction<Replay[]>`
      SELECT replayed::integer, merged::integer, deleted::integer, stale::integer, dead::integer
      FROM cdc_management.replay_dead_letters(${schema}, ${name}, ${last}, ${limit})`;
    return counts!;
  });
}
