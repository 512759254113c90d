import { quoteLiteral } from '@cdc-migrations/sql-text';
import { matchesAny } from '../tables/match-names.ts';
import { NoBookkeepingError } from '../history/no-bookkeeping-error.ts';
import { readIfThere } from '../session/read-if-there.ts';
import { refuseStandby } from '../history/read-target.ts';
import type { Session } from '../session/session.ts';
import {
  labelOf,
  type MergeCounts,
  type ReasonCount,
  type TableLane,
  type TableName,
  type TableReplay,
} from './merge-event.ts';

/** Which tables a run is for; all where nothing is given. */
export interface TableSelection {
  /** Globs of schemas. */
  readonly schemas?: readonly string[] | undefined;
  /** By `<Table>` or `<schema>.<Table>`. */
  readonly tables?: readonly string[] | undefined;
}

/** No table of the target is called so. */
export class UnknownTableError extends Error {
  override readonly name = 'UnknownTableError';
}

/** Where a pass is; what else there is of it is the target's. */
export interface PassState {
  /** Null for the whole table. */
  readonly lane: number | null;
  /** Null before the pass began, and where another session has the table or lane. */
  readonly end?: number | null;
  /** Whether the staging table is to be shrunk after the pass. */
  readonly shrink?: boolean;
}

/** How a batch ended. */
export interface MergeStep extends MergeCounts {
  /** What the next batch of the pass is to be given. */
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
 * Refuses a standby, a target without the functions that a run calls, and names that select nothing there.
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
    throw new UnknownTableError(
      `no schema ${schema} is merged there; there are ${known || 'none'}`,
    );
  }
  for (const table of selection.tables ?? []) {
    if (names.some((name) => isSelected(name, { tables: [table] }))) continue;
    const known = [...new Set(names.map((name) => name.table))].join(', ');
    throw new UnknownTableError(`no table ${table} is merged there; there are ${known || 'none'}`);
  }
}

/** Tables that have something to merge, with their lanes, the longest waiting first. */
export async function readWaiting(session: Session): Promise<readonly TableLane[]> {
  return session.write<TableLane>(
    `SELECT schema_name AS schema, table_name AS table, (pass ->> 'lane')::integer AS lane
FROM cdc_management.passes_to_begin()`,
  );
}

type Texts<Row> = { readonly [Key in keyof Row]: string };

/**
 * Merges a batch of a table.
 *
 * @param pass what the batch before gave.
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

/** Removes some of what is older than its retention; whether that was all, which older bookkeeping does not say. */
export async function forgetOld(session: Session): Promise<boolean> {
  const [row] = await session.write<{ readonly done: unknown }>(
    'SELECT cdc_management.forget_old() AS done',
  );
  return row!.done !== false;
}

/** A table with dead letters or refused events, and the newest of them. */
export interface BuriedTable extends TableName {
  readonly last: string;
  /** What replays them. */
  readonly by: 'replay_dead_letters' | 'replay_refused_events';
}

export async function readBuried(session: Session): Promise<readonly BuriedTable[]> {
  const letters = await session.read<BuriedTable>(
    `SELECT schema_name AS schema, table_name AS table, max(dead_letter_id)::text AS last,
  'replay_dead_letters' AS by
FROM cdc_management.dead_letter
GROUP BY schema_name, table_name
ORDER BY schema_name, table_name`,
  );
  const refused = await readIfThere(() =>
    session.read<BuriedTable>(
      `SELECT schema_name AS schema, table_name AS table, max(refused_event_id)::text AS last,
  'replay_refused_events' AS by
FROM cdc_management.refused_event
WHERE schema_name IS NOT NULL AND table_name IS NOT NULL
GROUP BY schema_name, table_name
ORDER BY schema_name, table_name`,
    ),
  );
  // Refused events come first: what a dead letter lacks may be in an earlier event of its row that was refused.
  return [...(refused ?? []), ...letters];
}

/** Replays the oldest of these of a table up to the `last` one, in one transaction; none are left when it was none. */
export async function replayStep(
  session: Session,
  { schema, table, last, by }: BuriedTable,
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

/** The newest dead letter and refused event of a table; '0' for none. */
export interface NewestLetters {
  readonly letter: string;
  readonly event: string;
}

export async function readNewest(
  session: Session,
  { schema, table }: TableName,
): Promise<NewestLetters> {
  const isOfTable = `schema_name = ${quoteLiteral(schema)} AND table_name = ${quoteLiteral(table)}`;
  const [row] = await session.read<NewestLetters>(
    `SELECT coalesce((SELECT max(dead_letter_id) FROM cdc_management.dead_letter WHERE ${isOfTable}), 0)::text AS letter,
  coalesce((SELECT max(refused_event_id) FROM cdc_management.refused_event WHERE ${isOfTable}), 0)::text AS event`,
  );
  return row!;
}

/** The most frequent reasons of dead letters and refused events of a table that are newer. */
export async function readReasons(
  session: Session,
  { schema, table }: TableName,
  { letter, event }: NewestLetters,
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
