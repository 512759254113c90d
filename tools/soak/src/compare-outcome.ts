import { compareFinalTable } from '@cdc-migrations/e2e';
import type { ReplicatedTable } from '@cdc-migrations/table-defs';
import { buildOutcome, type Delivered, type Outcome } from './build-outcome.ts';
import { type SoakDatabase, TENANT } from './soak-target.ts';
import { unavailableValue } from './unavailable-value.ts';

/** How a table, its log, dead letters, tombstones and unseen offsets differ from what they must be. */
export async function compareOutcome(
  database: SoakDatabase,
  table: ReplicatedTable,
  delivered: Delivered,
): Promise<readonly string[]> {
  const outcome = buildOutcome(table, delivered);
  const differences = [
    ...(await compareFinalTable(
      database.superuser,
      TENANT,
      table,
      outcome.rows,
      uncompared(table),
    )),
    ...(await compareLog(database, table, outcome)),
    ...(await compareUnseen(database, table, outcome)),
    ...(await compareDeadLetters(database, table, outcome)),
    ...(await compareTombstones(database, table, outcome)),
  ];
  return differences.map((difference) => `${table.name}: ${difference}`);
}

/** A large value that comes late changes the time of its row, if it does come late. */
function uncompared({ columns }: ReplicatedTable): readonly string[] {
  const hasGaps = columns.some(
    ({ role, type }) => role === 'source' && unavailableValue(type) !== undefined,
  );
  return hasGaps ? ['__sync_timestamp'] : [];
}

/** A text of each stream's sums, and of what the triggers saw of them. */
async function compareLog(
  { superuser }: SoakDatabase,
  { name }: ReplicatedTable,
  { streams }: Outcome,
): Promise<readonly string[]> {
  const found = await superuser.unsafe<LogRow[]>(LOG, [TENANT, name]);
  const expected = streams.map(
    ({ stream, events, firstOffset, lastOffset }) =>
      `${stream} ${events} events, ${firstOffset ?? '-'} to ${lastOffset ?? '-'}`,
  );
  const wrong = found.filter(
    (row) =>
      row.wrong ||
      row.merged !== row.written ||
      row.deleted !== row.noted ||
      row.dead !== row.letters,
  );
  return [
    ...compareLists(
      'stream',
      expected,
      found.map(({ stream, sums }) => `${stream} ${sums}`),
    ),
    ...wrong.map((row) => `counts of the log: ${JSON.stringify(row)}`),
  ];
}

interface LogRow {
  readonly stream: string;
  readonly sums: string;
  readonly wrong: boolean;
  readonly merged: string;
  readonly deleted: string;
  readonly dead: string;
  /** Rows that were written, keys that were noted as deleted, dead letters. */
  readonly written: string;
  readonly noted: string;
  readonly letters: string;
}

const LOG = `
WITH log AS (
  SELECT coalesce(kafka_partition::text, '-') || '/' || coalesce(stream_generation::text, '-') AS stream,
    sum(events) || ' events, ' || coalesce(min(first_offset)::text, '-') || ' to '
      || coalesce(max(last_offset)::text, '-') AS sums,
    bool_or(events <> merged + deleted + stale + dead OR least(merged, deleted, stale, dead, duration_ms) < 0
      OR events = 0 OR first_offset > last_offset OR finished_at < started_at) AS wrong,
    sum(merged) AS merged, sum(deleted) AS deleted, sum(dead) AS dead
  FROM cdc_management.processing_log
  WHERE schema_name = $1 AND table_name = $2
  GROUP BY 1
)
SELECT log.*,
  (SELECT count(*) FROM public.soak_write AS w
   WHERE w.table_name = $2 AND w.stream = log.stream AND w.kind = 'merged') AS written,
  (SELECT count(*) FROM public.soak_write AS w
   WHERE w.table_name = $2 AND w.stream = log.stream AND w.kind = 'deleted') AS noted,
  (SELECT count(*) FROM cdc_management.dead_letter AS letter
   WHERE letter.schema_name = $1 AND letter.table_name = $2 AND log.stream =
     coalesce(kafka_partition::text, '-') || '/' || coalesce(stream_generation::text, '-')) AS letters
FROM log`;

async function compareUnseen(
  { superuser }: SoakDatabase,
  { name }: ReplicatedTable,
  { streams }: Outcome,
): Promise<readonly string[]> {
  const found = await superuser<{ gap: string }[]>`
    SELECT kafka_partition || '/' || stream_generation || ' ' || first_offset || '..' || last_offset AS gap
    FROM cdc_management.unseen_offsets
    WHERE schema_name = ${TENANT} AND table_name = ${name}`;
  const expected = streams.flatMap(({ stream, unseen }) => unseen.map((gap) => `${stream} ${gap}`));
  return compareLists(
    'unseen offsets',
    expected,
    found.map(({ gap }) => gap),
  );
}

async function compareDeadLetters(
  { superuser }: SoakDatabase,
  { name }: ReplicatedTable,
  { dead }: Outcome,
): Promise<readonly string[]> {
  const found = await superuser<{ id: string; times: number }[]>`
    SELECT payload ->> '__source' AS id, count(*)::integer AS times
    FROM cdc_management.dead_letter
    WHERE schema_name = ${TENANT} AND table_name = ${name}
    GROUP BY 1`;
  const times = new Map(found.map((row) => [row.id, row.times]));
  const known = new Set(dead.map(({ id }) => id));
  return [
    ...found.filter(({ id }) => !known.has(id)).map(({ id }) => `unexpected dead letter: ${id}`),
    ...dead
      .filter(({ id, least, most }) => (times.get(id) ?? 0) < least || (times.get(id) ?? 0) > most)
      .map(
        ({ id, least, most }) =>
          `dead letters of ${id}: ${times.get(id) ?? 0}, not ${least} to ${most}`,
      ),
  ];
}

async function compareTombstones(
  { superuser }: SoakDatabase,
  { name }: ReplicatedTable,
  outcome: Outcome,
): Promise<readonly string[]> {
  const found = await superuser<{ position: string }[]>`
    SELECT stone.kafka_partition || '/' || stone.stream_generation || '/' || stone.kafka_offset AS position
    FROM cdc_management.tombstone AS stone
    JOIN cdc_management.merge_control USING (table_id)
    WHERE schema_name = ${TENANT} AND table_name = ${name}`;
  const remembered = new Set(found.map(({ position }) => position));
  const possible = new Set([...outcome.tombstones, ...outcome.possibleTombstones]);
  return [
    ...outcome.tombstones.filter((at) => !remembered.has(at)).map((at) => `no tombstone of ${at}`),
    ...[...remembered]
      .filter((at) => !possible.has(at))
      .map((at) => `unexpected tombstone of ${at}`),
    ...(remembered.size < found.length ? ['two tombstones of one delete'] : []),
  ];
}

function compareLists(
  what: string,
  expected: readonly string[],
  found: readonly string[],
): readonly string[] {
  return [
    ...expected.filter((text) => !found.includes(text)).map((text) => `${what} missing: ${text}`),
    ...found
      .filter((text) => !expected.includes(text))
      .map((text) => `${what} unexpected: ${text}`),
  ];
}
