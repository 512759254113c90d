import { readIfThere } from '../session/read-if-there.ts';
import type { Session } from '../session/session.ts';

/** State of the merge of a table. */
export interface TableHealth {
  readonly schema: string;
  readonly table: string;
  /** Seconds between the newest event of the last batch at the source and its merge. Null if events have no time. */
  readonly lagSeconds: number | null;
  /** Seconds since the oldest staged event was marked. 0 if none waits. */
  readonly waitingSeconds: number;
  /** End of the last merge, in seconds since 1970. Null if there was none. */
  readonly lastMergedAt: number | null;
  /** Bytes of the staging table. Null while another session locks it. */
  readonly stagingBytes: number | null;
  /** True if the last merge failed. */
  readonly isFailing: boolean;
  /** True if an object that the merge needs was changed. */
  readonly isBlocked: boolean;
  readonly deadLetters: number;
  readonly refusedEvents: number;
  /** Streams that may have lost staged events. */
  readonly lossStreams: number;
  /** Events of this day (UTC) by outcome. */
  readonly merged: number;
  readonly deleted: number;
  readonly stale: number;
  readonly dead: number;
}

/**
 * Reads the health of all merged tables in one round trip. Returns undefined without the views of the infrastructure.
 */
export async function readTableHealth(
  session: Session,
): Promise<readonly TableHealth[] | undefined> {
  return readIfThere(() => session.read<TableHealth>(TABLE_HEALTH));
}

const TABLE_HEALTH = `SELECT status.schema_name AS schema, status.table_name AS table,
  extract(epoch FROM lag.lag)::float8 AS "lagSeconds",
  CASE WHEN status.holds_events IS NOT FALSE AND status.pending_since IS NOT NULL
    THEN extract(epoch FROM pg_catalog.clock_timestamp() - status.pending_since)::float8 ELSE 0 END AS "waitingSeconds",
  extract(epoch FROM status.last_merged_at)::float8 AS "lastMergedAt",
  CASE WHEN status.staging_bytes >= 0 THEN status.staging_bytes::float8 END AS "stagingBytes",
  status.is_failing AS "isFailing", problem.table_name IS NOT NULL AS "isBlocked", status.dead_letters::integer AS "deadLetters",
  coalesce(refused.events, 0)::integer AS "refusedEvents", coalesce(loss.streams, 0)::integer AS "lossStreams",
  coalesce(today.merged, 0)::float8 AS merged, coalesce(today.deleted, 0)::float8 AS deleted,
  coalesce(today.stale, 0)::float8 AS stale, coalesce(today.dead, 0)::float8 AS dead
FROM cdc_management.merge_status AS status
LEFT JOIN cdc_management.merge_lag AS lag USING (schema_name, table_name)
LEFT JOIN (SELECT DISTINCT schema_name, table_name FROM cdc_management.merge_problems) AS problem USING (schema_name, table_name)
LEFT JOIN (
  SELECT schema_name, table_name, sum(events) AS events FROM cdc_management.refused_events GROUP BY 1, 2
) AS refused USING (schema_name, table_name)
LEFT JOIN (
  SELECT schema_name, table_name, count(*) AS streams FROM cdc_management.possible_loss GROUP BY 1, 2
) AS loss USING (schema_name, table_name)
LEFT JOIN (
  SELECT schema_name, table_name, sum(merged) AS merged, sum(deleted) AS deleted, sum(stale) AS stale, sum(dead) AS dead
  FROM cdc_management.processing_log
  WHERE finished_at >= pg_catalog.date_trunc('day', pg_catalog.now(), 'UTC')
  GROUP BY 1, 2
) AS today USING (schema_name, table_name)
ORDER BY 1, 2`;

/** Position up to which a pipeline by LSN has staged the changes of a source table. */
export interface ChangeCursor {
  readonly schema: string;
  readonly table: string;
  readonly sourceDatabase: string;
  /** LSN as `0x…`. */
  readonly readTo: string;
}

/** Reads the cursors of all pipelines that read change tables of SQL Server. */
export async function readChangeCursors(
  session: Pick<Session, 'read'>,
): Promise<readonly ChangeCursor[]> {
  return await session.read<ChangeCursor>(`
SELECT schema_name AS schema, table_name AS "table", source_db AS "sourceDatabase", '0x' || encode(read_to, 'hex') AS "readTo"
FROM cdc_management.change_cursor`);
}
