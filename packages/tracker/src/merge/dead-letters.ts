import { quoteLiteral } from '@cdc-migrations/sql-text';
import { NoBookkeepingError } from '../history/no-bookkeeping-error.ts';
import { readIfThere } from '../session/read-if-there.ts';
import type { Session } from '../session/session.ts';
import { isSelected, type TableSelection } from './merge-statements.ts';

/** Kind of an event that is in no final table: the merge (dead letter) or the server (refused event) rejected it. */
export type DeadLetterKind = 'dead letter' | 'refused event';

/** Filter of dead letters and refused events. The default is all. */
export interface DeadLetterFilter extends TableSelection {
  /** Part of the reason, case-insensitive. */
  readonly reason?: string | undefined;
  /** Ids as `Letter` has them. */
  readonly ids?: readonly string[] | undefined;
}

/** Events of a table with the same reason. */
export interface DeadLetterGroup {
  readonly kind: DeadLetterKind;
  /** Null if the pipeline did not name the table of a refused event. */
  readonly schema: string | null;
  readonly table: string | null;
  readonly reason: string;
  readonly count: number;
  readonly firstId: string;
  readonly lastId: string;
  /** In ISO 8601. */
  readonly firstAt: string;
  readonly lastAt: string;
}

/** A complete event. */
export interface DeadLetter extends Pick<DeadLetterGroup, 'kind' | 'schema' | 'table' | 'reason'> {
  /** Its number, with an `r` in front for a refused event: the two kinds are numbered apart. */
  readonly id: string;
  readonly at: string;
  readonly position: {
    readonly generation: number | null;
    readonly partition: number | null;
    readonly offset: string | null;
  };
  /** Columns of a dead letter, or key and value of a refused event in hexadecimal. */
  readonly event: unknown;
}

/** Both kinds of events as one relation. */
const LETTERS = `(
  SELECT 'dead letter' AS kind, '' AS prefix, dead_letter_id AS number, schema_name, table_name, reason, created_at AS at,
    stream_generation, kafka_partition, kafka_offset, payload AS event
  FROM cdc_management.dead_letter
  UNION ALL
  SELECT 'refused event', 'r', refused_event_id, schema_name, table_name, coalesce(error, ''), refused_at,
    stream_generation, kafka_partition, kafka_offset, pg_catalog.jsonb_build_object('topic', topic,
      'key', pg_catalog.encode(key, 'hex'), 'value', pg_catalog.encode(value, 'hex'))
  FROM cdc_management.refused_event
) AS letter`;

const ISO = `'YYYY-MM-DD"T"HH24:MI:SS"Z"'`;

const GROUP = `kind, schema_name AS schema, table_name AS table, reason, count(*)::integer AS count,
  min(prefix) || min(number) AS "firstId", min(prefix) || max(number) AS "lastId",
  pg_catalog.to_char(min(at) AT TIME ZONE 'UTC', ${ISO}) AS "firstAt",
  pg_catalog.to_char(max(at) AT TIME ZONE 'UTC', ${ISO}) AS "lastAt"`;
const IN_GROUPS = `GROUP BY 1, 2, 3, 4
ORDER BY schema_name, table_name, max(at), reason`;

/**
 * Counts the dead letters and refused events of a target by table and reason.
 *
 * @throws NoBookkeepingError, TargetError
 */
export async function groupDeadLetters(
  session: Session,
  filter: DeadLetterFilter,
): Promise<readonly DeadLetterGroup[]> {
  const condition = await conditionOf(session, filter);
  return session.read<DeadLetterGroup>(
    `SELECT ${GROUP}
FROM ${LETTERS}
WHERE ${condition}
${IN_GROUPS}`,
  );
}

/**
 * Reads the oldest of these events completely.
 *
 * @throws NoBookkeepingError, TargetError
 */
export async function readDeadLetters(
  session: Session,
  filter: DeadLetterFilter,
  limit: number,
): Promise<readonly DeadLetter[]> {
  const condition = await conditionOf(session, filter);
  return session.read<DeadLetter>(
    `SELECT kind, prefix || number AS id, schema_name AS schema, table_name AS table, reason,
  pg_catalog.to_char(at AT TIME ZONE 'UTC', ${ISO}) AS at,
  pg_catalog.jsonb_build_object('generation', stream_generation, 'partition', kafka_partition,
    'offset', kafka_offset::text) AS position, event
FROM ${LETTERS}
WHERE ${condition}
ORDER BY letter.at, kind, number
LIMIT ${limit}`,
  );
}

/**
 * Deletes these events in one transaction and returns their numbers by table and reason.
 *
 * @throws NoBookkeepingError, TargetError
 */
export async function discardDeadLetters(
  session: Session,
  filter: DeadLetterFilter,
): Promise<readonly DeadLetterGroup[]> {
  const condition = await conditionOf(session, filter);
  const idsOf = (kind: DeadLetterKind) =>
    `SELECT number FROM ${LETTERS} WHERE kind = ${quoteLiteral(kind)} AND ${condition}`;
  return session.write<DeadLetterGroup>(
    `WITH discarded AS (
  DELETE FROM cdc_management.dead_letter WHERE dead_letter_id IN (${idsOf('dead letter')})
  RETURNING 'dead letter' AS kind, '' AS prefix, dead_letter_id AS number, schema_name, table_name, reason, created_at AS at
), dropped AS (
  DELETE FROM cdc_management.refused_event WHERE refused_event_id IN (${idsOf('refused event')})
  RETURNING 'refused event', 'r', refused_event_id, schema_name, table_name, coalesce(error, ''), refused_at
)
SELECT ${GROUP}
FROM (SELECT * FROM discarded UNION ALL SELECT * FROM dropped) AS letter
${IN_GROUPS}`,
  );
}

/** Renders the filter as SQL over `LETTERS`. */
async function conditionOf(session: Session, filter: DeadLetterFilter): Promise<string> {
  const { schemas, tables, reason, ids } = filter;
  const names = await readIfThere(() =>
    session.read<Pick<DeadLetterGroup, 'schema' | 'table'>>(
      `SELECT DISTINCT schema_name AS schema, table_name AS table FROM ${LETTERS}`,
    ),
  );
  if (!names) throw new NoBookkeepingError();
  const selected = names.flatMap(({ schema, table }) =>
    schema !== null && table !== null && isSelected({ schema, table }, filter)
      ? [`(${quoteLiteral(schema)}, ${quoteLiteral(table)})`]
      : [],
  );
  const isOfTable =
    selected.length > 0 ? `(schema_name, table_name) IN (${selected.join(', ')})` : 'false';
  return [
    ...(schemas || tables ? [isOfTable] : []),
    ...(reason === undefined
      ? []
      : [`pg_catalog.strpos(lower(reason), lower(${quoteLiteral(reason)})) > 0`]),
    ...(ids ? [`prefix || number IN (${ids.map(quoteLiteral).join(', ')})`] : []),
    'true',
  ].join(' AND ');
}
