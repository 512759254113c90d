import type { Sql } from 'postgres';

/** Totals of the processing log for a table. */
export interface ProcessingTotals {
  readonly events: number;
  readonly merged: number;
  readonly deleted: number;
  readonly stale: number;
  readonly dead: number;
  /** Rows whose counts do not add up, or whose first offset is after the last. */
  readonly wrongRows: number;
}

/** Reads the totals over all batches and streams of a table. */
export async function readProcessingLog(
  sql: Sql,
  schema: string,
  table: string,
): Promise<ProcessingTotals> {
  const [totals] = await sql<ProcessingTotals[]>`
    SELECT coalesce(sum(events), 0)::integer AS events, coalesce(sum(merged), 0)::integer AS merged,
      coalesce(sum(deleted), 0)::integer AS deleted, coalesce(sum(stale), 0)::integer AS stale,
      coalesce(sum(dead), 0)::integer AS dead,
      count(*) FILTER (WHERE events <> merged + deleted + stale + dead
        OR least(events, merged, deleted, stale, dead, duration_ms) < 0 OR events = 0
        OR first_offset > last_offset)::integer AS "wrongRows"
    FROM cdc_management.processing_log
    WHERE schema_name = ${schema} AND table_name = ${table}`;
  if (!totals) throw new Error('an aggregate gave no row');
  return totals;
}
