import { quoteQualified } from '@cdc-migrations/sql-text';
import type { ReplicatedTable } from '@cdc-migrations/table-defs';
import type { Sql } from 'postgres';

/** Runs a table's merge procedure once: by itself, outside a transaction block. */
export async function mergeTable(
  sql: Sql,
  schema: string,
  { names }: ReplicatedTable,
): Promise<void> {
  await sql.unsafe(`CALL ${quoteQualified(schema, names.mergeProcedure)}()`).simple();
}
