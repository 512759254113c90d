import { readIfThere } from '../session/read-if-there.ts';
import { MANAGEMENT_SCHEMA } from '@cdc-migrations/table-defs';
import type { Session } from '../session/session.ts';

/** Problems of a target that need attention after all files are applied. */
export interface Concerns {
  /** Tables that cannot be merged in their current state. */
  readonly mergeProblems: readonly MergeProblem[];
  /** Tables that merges skip while another session locks their staging table. */
  readonly lockedStaging: readonly LockedTable[];
  /** Tables that have waited for over a minute while one session merges or blocks them. */
  readonly heldMerges: readonly HeldMerge[];
  /** Tables whose last merge failed. */
  readonly failingMerges: readonly FailingMerge[];
  /** Streams that may have lost staged events in a crash, with the position to replay from. */
  readonly lostStaging: readonly LostStaging[];
  /** Tables with events that could not be merged. */
  readonly deadLetters: readonly DeadLetterCounts[];
  /** Events that the server refused when the sink pipeline inserted them. */
  readonly refusedEvents: readonly RefusedEvents[];
  /** Columns that differ from the source: to tighten, to drop. */
  readonly columns: readonly ColumnConcern[];
  /** New columns without values in older rows. */
  readonly backfill: readonly BackfillConcern[];
}

/** A manual change that blocks merges. */
export interface MergeProblem {
  readonly schema: string;
  readonly table: string;
  /** `staging table "stg_Actor" is missing`. */
  readonly problem: string;
  readonly solution: string;
}

/** A table with a lock of another session. */
export interface LockedTable {
  readonly schema: string;
  readonly table: string;
  /** Holder: `process 4711 (postgres, psql)`, `prepared transaction x`. */
  readonly holder: string;
}

/** A table whose merge waits for a lock. */
export interface HeldMerge extends LockedTable {
  /** Start of the wait, in ISO 8601. */
  readonly since: string;
}

/** A table whose last merge failed. */
export interface FailingMerge {
  readonly schema: string;
  readonly table: string;
  /** Message and SQLSTATE. */
  readonly error: string;
}

/** Staged events that may be lost, and the position to replay from. */
export interface LostStaging {
  readonly schema: string;
  readonly table: string;
  /** Null for a table that was never merged, which means all of its streams. */
  readonly stream: LostStream | null;
  /** Offset to replay from. Null means everything. */
  readonly replayFrom: string | null;
  readonly cause: LossCause;
}

/**
 * Cause of lost staged events:
 *
 * - a crash, which empties unlogged tables
 * - a promotion or a point-in-time recovery
 * - a copy of another server or database, or a restored dump
 * - a dropped table
 * - where changes are read from SQL Server: it removed them too early, it was restored, or rows were never read
 */
export type LossCause =
  | 'crash'
  | 'new timeline'
  | 'restored copy'
  | 'dropped'
  | 'cleaned up'
  | 'restored source'
  | 'needs snapshot';

/** A stream: one partition of one source table. */
export interface LostStream {
  readonly database: string | null;
  readonly table: string | null;
  readonly partition: number;
  readonly generation: number;
}

/** Number of dead letters of a table. */
export interface DeadLetterCounts {
  readonly schema: string;
  readonly table: string;
  readonly count: number;
}

/** Number of events that the server refused, by table and topic. */
export interface RefusedEvents {
  /** Schema of the final table. Null if the sink pipeline did not report it. */
  readonly schema: string | null;
  readonly table: string | null;
  readonly topic: string | null;
  readonly count: number;
}

/** A column that differs from its definition. */
export interface ColumnConcern {
  readonly schema: string;
  readonly table: string;
  readonly column: string;
  readonly state: string;
  /** SQL that resolves it, if there is some. */
  readonly statement: string | null;
}

/** A column without values in rows older than the column. */
export interface BackfillConcern {
  readonly schema: string;
  readonly table: string;
  readonly column: string;
  /** Earliest time for a backfill, in ISO 8601. */
  readonly since: string;
  /** Rows without a value, 100,000 at most. Null while another session locks the table. */
  readonly rows: number | null;
}

/** Reads the problems that need attention, in one round trip. */
export async function readConcerns(session: Session): Promise<Concerns> {
  const [
    mergeProblems,
    lockedStaging,
    heldMerges,
    failingMerges,
    lostStaging,
    deadLetters,
    refusedEvents,
    columns,
    backfill,
  ] = await Promise.all([
    readTargetProblems(session),
    readLockedStaging(session),
    readRows<HeldMerge>(session, HELD),
    readRows<FailingMerge>(session, FAILING),
    readRows<LostStaging>(session, LOST_STAGING),
    readRows<DeadLetterCounts>(session, DEAD_LETTERS),
    readRows<RefusedEvents>(session, REFUSED_EVENTS),
    readRows<ColumnConcern>(session, COLUMNS),
    readRows<BackfillConcern>(session, BACKFILL),
  ]);
  return {
    ...{ mergeProblems, lockedStaging, heldMerges, failingMerges, lostStaging },
    ...{ deadLetters, refusedEvents, columns, backfill },
  };
}

/** Reads the problems that block merges. Returns undefined if the target has no view for them. */
export async function readMergeProblems(
  session: Session,
): Promise<readonly MergeProblem[] | undefined> {
  return readIfThere(() => session.read<MergeProblem>(PROBLEMS));
}

/** Reads the same from a target with applied infrastructure, where a missing view is a problem too. */
export async function readTargetProblems(session: Session): Promise<readonly MergeProblem[]> {
  return (await readMergeProblems(session)) ?? [NO_VIEW];
}

const NO_VIEW: MergeProblem = {
  schema: MANAGEMENT_SCHEMA,
  table: 'view merge_problems',
  problem: 'is missing',
  solution: 'apply its files again: apply --again',
};

export async function readLockedStaging(session: Session): Promise<readonly LockedTable[]> {
  return readRows<LockedTable>(session, LOCKED);
}

/** Reads the problems of older bookkeeping too, in which the column `solution` has the name `way_out`. */
const PROBLEMS = `SELECT found.schema_name AS schema, found.table_name AS table, found.problem,
  coalesce(pg_catalog.to_jsonb(found) ->> 'solution', pg_catalog.to_jsonb(found) ->> 'way_out') AS solution
FROM cdc_management.merge_problems AS found
ORDER BY 1, 2, 3`;

const LOCKED = `SELECT schema_name AS schema, table_name AS table, locked_by AS holder
FROM cdc_management.merge_status
WHERE locked_by IS NOT NULL AND holds_events IS NULL
ORDER BY 1, 2`;

const HELD = `SELECT schema_name AS schema, table_name AS table, locked_by AS holder,
  pg_catalog.to_char(pending_since AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS since
FROM cdc_management.merge_status
WHERE locked_by IS NOT NULL AND holds_events IS NOT NULL AND pending_since < pg_catalog.clock_timestamp() - interval '1 minute'
ORDER BY 1, 2`;

const FAILING = `SELECT control.schema_name AS schema, control.table_name AS table,
  pg_catalog.format('%s (SQLSTATE %s)', failure.message, failure.sqlstate) AS error
FROM cdc_management.merge_control AS control
CROSS JOIN LATERAL (
  SELECT * FROM cdc_management.merge_error AS other
  WHERE other.schema_name = control.schema_name AND other.table_name = control.table_name
  ORDER BY other.error_id DESC
  LIMIT 1
) AS failure
WHERE control.last_merged_at IS NULL OR failure.occurred_at > control.last_merged_at
ORDER BY 1, 2`;

const LOST_STAGING = `SELECT schema_name AS schema, table_name AS table,
  CASE WHEN kafka_partition IS NOT NULL THEN pg_catalog.jsonb_build_object(
    'database', source_db, 'table', source_table, 'partition', kafka_partition, 'generation', stream_generation
  ) END AS stream,
  replay_from::text AS "replayFrom", coalesce(pg_catalog.to_jsonb(possible_loss) ->> 'cause', 'crash') AS cause
FROM cdc_management.possible_loss
ORDER BY 1, 2, source_db, source_table, kafka_partition, stream_generation`;

const DEAD_LETTERS = `SELECT schema_name AS schema, table_name AS table, count(*)::integer AS count
FROM cdc_management.dead_letter
GROUP BY 1, 2
ORDER BY 1, 2`;

const REFUSED_EVENTS = `SELECT schema_name AS schema, table_name AS table, topic, events::integer AS count
FROM cdc_management.refused_events
ORDER BY 1, 2, 3`;

const COLUMNS = `SELECT schema_name AS schema, table_name AS table, column_name AS column, state, statement
FROM cdc_management.column_note
ORDER BY 1, 2, 3`;

const BACKFILL = `SELECT schema_name AS schema, table_name AS table, column_name AS column,
  pg_catalog.to_char(since AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS since, unfilled_rows::integer AS rows
FROM cdc_management.backfill_needed
ORDER BY 1, 2, 3`;

async function readRows<Row>(session: Session, query: string): Promise<readonly Row[]> {
  return (await readIfThere(() => session.read<Row>(query))) ?? [];
}
