import { quoteLiteral } from '@cdc-migrations/sql-text';
import { matchesAny } from '../tables/match-names.ts';
import { NoBookkeepingError } from '../history/no-bookkeeping-error.ts';
import { readIfThere } from '../session/read-if-there.ts';
import { refuseStandby } from '../history/read-target.ts';
import type { Session } from '../session/session.ts';
import type { LockedTable } from '../status/read-concerns.ts';
import {
  labelOf,
  type MergeCounts,
  type ReasonCount,
  type TableLane,
  type TableName,
  type TableReplay,
} from './merge-event.ts';

/** Selection of tables for a run. The default is all. */
export interface TableSelection {
  /** Globs of schemas. */
  readonly schemas?: readonly string[] | undefined;
  /** Names `<Table>` or `<schema>.<Table>`. */
  readonly tables?: readonly string[] | undefined;
}

/** Error: no table of the target has the name. */
export class UnknownTableError extends Error {
  override readonly name = 'UnknownTableError';
}

/** Progress of a pass. The target adds more fields. */
export interface PassState {
  /** Null for the whole table. */
  readonly lane: number | null;
  /** Null before the pass began, and if another session has the table or lane. */
  readonly end?: number | null;
  /** True if the staging table should be shrunk after the pass. */
  readonly shrink?: boolean;
}

/** Result of a batch. */
export interface MergeStep extends MergeCounts {
  /** Input of the pass's next batch. */
  readonly pass: PassState;
  readonly done: boolean;
  readonly failure: string | null;
}

export function isSelected(name: TableName, { schemas, tables }: TableSelection): boolean {
  return (
    matchesAny(name.schema, schemas) &&
    (tables === undefined || tables.includes(name.table) || tables.includes(labelOf(name)))
  );
}

/**
 * Refuses a standby, a target without the needed functions, and names that select nothing.
 *
 * @throws StandbyError, NoBookkeepingError, UnknownTableError
 */
export async function refuseUnknown(session: Session, selection: TableSelection): Promise<void> {
  const [found] = await session.read<{ there: boolean; isStandby: boolean }>(
    `SELECT pg_catalog.to_regclass('cdc_management.merge_problems') IS NOT NULL AS there,
  pg_catalog.pg_is_in_recovery() AS "isStandby"`,
  );
  refuseStandby(found!);
  if (!found!.there) throw new NoBookkeepingError();
  const names = await session.read<TableName>(
    `SELECT schema_name AS schema, table_name AS table FROM cdc_management.merge_status
UNION SELECT schema_name, table_name FROM cdc_management.merge_problems
ORDER BY 1, 2`,
  );
  for (const schema of selection.schemas ?? []) {
    if (names.some((name) => isSelected(name, { schemas: [schema] }))) continue;
    const known = [...new Set(names.map((name) => name.schema))].join(', ');
    throw new UnknownTableError(`no schema ${schema} is merged here; known: ${known || 'none'}`);
  }
  for (const table of selection.tables ?? []) {
    if (names.some((name) => isSelected(name, { tables: [table] }))) continue;
    const known = [...new Set(names.map((name) => name.table))].join(', ');
    throw new UnknownTableError(`no table ${table} is merged here; known: ${known || 'none'}`);
  }
}

/** Reads tables with something to merge and their lanes. The one that waits longest is first. */
export async function readWaiting(session: Session): Promise<readonly TableLane[]> {
  return session.write<TableLane>(
    `SELECT schema_name AS schema, table_name AS table, (pass ->> 'lane')::integer AS lane
FROM cdc_management.passes_to_begin()`,
  );
}

/** Reads the number of the next transaction. */
export async function readTransaction(session: Session): Promise<string> {
  const [row] = await session.read<{ readonly now: string }>(
    'SELECT pg_catalog.pg_snapshot_xmax(pg_catalog.pg_current_snapshot())::text AS now',
  );
  return row!.now;
}

/** Reads tables that hold events of transactions before this one, with the sessions that have them. */
export function readHeldTables(session: Session, before: string): Promise<readonly LockedTable[]> {
  return session.read<LockedTable>(
    `SELECT schema_name AS schema, table_name AS table, coalesce(locked_by, 'a session that has ended') AS holder
FROM cdc_management.merge_status
WHERE holds_events AND cdc_management.holds_events_before(schema_name, table_name, ${quoteLiteral(before)}::xid8)
ORDER BY 1, 2`,
  );
}

type Texts<Row> = { readonly [Key in keyof Row]: string };

/**
 * Merges a batch of a table.
 *
 * @param pass result of the previous batch
 */
export async function mergeStep(
  session: Session,
  { schema, table }: TableName,
  pass: PassState,
): Promise<MergeStep> {
  const state = quoteLiteral(JSON.stringify(pass));
  const [row] = await session.write<
    Texts<MergeCounts> & Pick<MergeStep, 'pass' | 'done' | 'failure'>
  >(
    `SELECT p_pass AS pass, done, failure, events, merged, deleted, stale, dead
FROM cdc_management.merge_step(${quoteLiteral(schema)}, ${quoteLiteral(table)}, ${state})`,
    'REPEATABLE READ',
  );
  const { done, failure, pass: next } = row!;
  if (done && next.shrink) {
    await session.write(
      `SELECT cdc_management.shrink_staging(${quoteLiteral(schema)}, ${quoteLiteral(table)})`,
    );
  }
  return { pass: next, done, failure, ...toCounts(row!) };
}

function toCounts(row: Texts<MergeCounts>): MergeCounts {
  return {
    events: Number(row.events),
    merged: Number(row.merged),
    deleted: Number(row.deleted),
    stale: Number(row.stale),
    dead: Number(row.dead),
  };
}

/**
 * Removes some rows that are older than their retention. Returns true if none are left. A target with older bookkeeping
 * counts as clean until the next apply, so that its events are merged.
 */
export async function cleanUpOld(session: Session): Promise<boolean> {
  const rows = await readIfThere(() =>
    session.write<{ readonly done: boolean }>('SELECT cdc_management.clean_up() AS done'),
  );
  return rows?.[0]?.done !== false;
}

/** A table with dead letters or refused events, and the newest of them. */
export interface DeadLetterTable extends TableName {
  readonly last: string;
  /** Function that replays them. */
  readonly by: 'replay_dead_letters' | 'replay_refused_events';
}

export async function readDeadLetterTables(session: Session): Promise<readonly DeadLetterTable[]> {
  const deadLetters = await session.read<DeadLetterTable>(
    `SELECT schema_name AS schema, table_name AS table, max(dead_letter_id)::text AS last,
  'replay_dead_letters' AS by
FROM cdc_management.dead_letter
GROUP BY schema_name, table_name
ORDER BY schema_name, table_name`,
  );
  const refused = await readIfThere(() =>
    session.read<DeadLetterTable>(
      `SELECT schema_name AS schema, table_name AS table, max(refused_event_id)::text AS last,
  'replay_refused_events' AS by
FROM cdc_management.refused_event
WHERE schema_name IS NOT NULL AND table_name IS NOT NULL
GROUP BY schema_name, table_name
ORDER BY schema_name, table_name`,
    ),
  );
  // Refused events come first. A dead letter may need an earlier refused event of its row.
  return [...(refused ?? []), ...deadLetters];
}

/** Replays the oldest ones of a table up to `last` in one transaction. A count of zero means that none are left. */
export async function replayStep(
  session: Session,
  { schema, table, last, by }: DeadLetterTable,
): Promise<Omit<TableReplay, keyof TableName | 'what' | 'failure' | 'reasons'>> {
  const [row] = await session.write<
    Texts<Omit<MergeCounts, 'events'>> & { readonly replayed: string }
  >(
    `SELECT replayed, merged, deleted, stale, dead
FROM cdc_management.${by}(${quoteLiteral(schema)}, ${quoteLiteral(table)}, ${last})`,
    'REPEATABLE READ',
  );
  const { events: _, ...counts } = toCounts({ ...row!, events: '0' });
  return { replayed: Number(row!.replayed), ...counts };
}

/** Newest dead letter and refused event of a table. '0' for none. */
export interface NewestDeadLetters {
  readonly letter: string;
  readonly event: string;
}

export async function readNewest(
  session: Session,
  { schema, table }: TableName,
): Promise<NewestDeadLetters> {
  const isOfTable = `schema_name = ${quoteLiteral(schema)} AND table_name = ${quoteLiteral(table)}`;
  const [row] = await session.read<NewestDeadLetters>(
    `SELECT coalesce((SELECT max(dead_letter_id) FROM cdc_management.dead_letter WHERE ${isOfTable}), 0)::text AS letter,
  coalesce((SELECT max(refused_event_id) FROM cdc_management.refused_event WHERE ${isOfTable}), 0)::text AS event`,
  );
  return row!;
}

/** Reads the most frequent reasons of a table's newer dead letters and refused events. */
export async function readReasons(
  session: Session,
  { schema, table }: TableName,
  { letter, event }: NewestDeadLetters,
): Promise<readonly ReasonCount[]> {
  const isOfTable = `schema_name = ${quoteLiteral(schema)} AND table_name = ${quoteLiteral(table)}`;
  return session.read<ReasonCount>(
    `SELECT reason, count(*)::integer AS count
FROM (
  SELECT reason FROM cdc_management.dead_letter WHERE ${isOfTable} AND dead_letter_id > ${letter}
  UNION ALL
  SELECT error FROM cdc_management.refused_event WHERE ${isOfTable} AND refused_event_id > ${event}
) AS newer
GROUP BY 1
ORDER BY 2 DESC, 1
LIMIT 5`,
  );
}
