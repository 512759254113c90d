import { readIfThere } from '../session/read-if-there.ts';
import { MANAGEMENT_SCHEMA } from '@cdc-migrations/table-defs';
import type { Session } from '../session/session.ts';

/** What people should look at in a target whose files are all applied. */
export interface Concerns {
  /** Tables that cannot be merged as they are. */
  readonly mergeProblems: readonly MergeProblem[];
  /** Tables that are left out of merges as long as somebody has locked their staging table. */
  readonly lockedStaging: readonly LockedTable[];
  /** Tables that have waited for over a minute while one session merges them, or keeps them from being merged. */
  readonly heldMerges: readonly HeldMerge[];
  /** Tables whose last merge failed. */
  readonly failingMerges: readonly FailingMerge[];
  /** Streams of which a crash may have taken staged events, and where to replay them from. */
  readonly lostStaging: readonly LostStaging[];
  /** Tables with events that could not be merged. */
  readonly deadLetters: readonly DeadLetters[];
  /** Events that the server refused when the sink pipeline inserted them. */
  readonly refusedEvents: readonly RefusedEvents[];
  /** Columns that are not yet, or no longer, as the source has them: to tighten, to drop. */
  readonly columns: readonly ColumnConcern[];
  /** Columns that came to a table whose rows have no value for it. */
  readonly backfill: readonly BackfillConcern[];
}

/** What somebody changed by hand that a merge needs. */
export interface MergeProblem {
  readonly schema: string;
  readonly table: string;
  /** `staging table "stg_Actor" is missing`. */
  readonly problem: string;
  readonly wayOut: string;
}

/** A table that somebody else holds a lock on. */
export interface LockedTable {
  readonly schema: string;
  readonly table: string;
  /** `process 4711 (postgres, psql)`, `prepared transaction x`. */
  readonly holder: string;
}

/** A table whose merge waits for a lock. */
export interface HeldMerge extends LockedTable {
  /** Since when it waits, in ISO 8601. */
  readonly since: string;
}

/** A table whose last merge failed. */
export interface FailingMerge {
  readonly schema: string;
  readonly table: string;
  /** The message, and its SQLSTATE. */
  readonly error: string;
}

/** Staged events that may have been lost, and where to replay from. */
export interface LostStaging {
  readonly schema: string;
  readonly table: string;
  /** Null for a table that was never merged: all of its streams. */
  readonly stream: LostStream | null;
  /** Offset from which on all is to be replayed; null: all of it. */
  readonly replayFrom: string | null;
  readonly cause: LossCause;
}

/**
 * What may have taken staged events away: a crash, which empties unlogged tables; a promotion or a recovery to a point in
 * time; that this is a copy of another server or database, or comes from a dump; or that the table was dropped. Where
 * changes are read from SQL Server: that it removed them before, that it was restored, or that rows were never read.
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

/** The number of dead letters of a table. */
export interface DeadLetters {
  readonly schema: string;
  readonly table: string;
  readonly count: number;
}

/** The number of events that the server refused, by table and topic. */
export interface RefusedEvents {
  /** Of the final table; null where the sink pipeline did not say it. */
  readonly schema: string | null;
  readonly table: string | null;
  readonly topic: string | null;
  readonly count: number;
}

/** A column that is not yet as the definition says. */
export interface ColumnConcern {
  readonly schema: string;
  readonly table: string;
  readonly column: string;
  readonly state: string;
  /** SQL that ends it, where there is one. */
  readonly statement: string | null;
}

/** A column that rows of before it came have no value of. */
export interface BackfillConcern {
  readonly schema: string;
  readonly table: string;
  readonly column: string;
  /** Since when it can be filled, in ISO 8601. */
  readonly since: string;
  /** Rows without a value, 100,000 at most; null while somebody locks the table. */
  readonly rows: number | null;
}

/** Reads what people should look at, in one round trip. */
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
    readRows<DeadLetters>(session, DEAD_LETTERS),
    readRows<RefusedEvents>(session, REFUSED_EVENTS),
    readRows<ColumnConcern>(session, COLUMNS),
    readRows<BackfillConcern>(session, BACKFILL),
  ]);
  return {
    ...{ mergeProblems, lockedStaging, heldMerges, failingMerges, lostStaging },
    ...{ deadLetters, refusedEvents, columns, backfill },
  };
}

/** Reads what keeps tables from being merged; undefined where the target is not asked for it, as its view is not there. */
export async function readMergeProblems(
  session: Session,
): Promise<readonly MergeProblem[] | undefined> {
  return readIfThere(() => session.read<MergeProblem>(PROBLEMS));
}

/** The same of a target whose infrastructure is applied: a view that is not there is a problem, too. */
export async function readTargetProblems(session: Session): Promise<readonly MergeProblem[]> {
  return (await readMergeProblems(session)) ?? [NO_VIEW];
}

const NO_VIEW: MergeProblem = {
  schema: MANAGEMENT_SCHEMA,
  table: 'view merge_problems',
  problem: 'is missing',
  wayOut: 'apply its files again: apply --again',
};

export async function readLockedStaging(session: Session): Promise<readonly LockedTable[]> {
  return readRows<LockedTable>(session, LOCKED);
}

const PROBLEMS = `SELECT schema_name AS schema, table_name AS table, problem, way_out AS "wayOut"
FROM cdc_management.merge_problems
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
