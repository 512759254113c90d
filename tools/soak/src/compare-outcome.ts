import { compareFinalTable } from '@cdc-migrations/e2e';
import type { ReplicatedTable } from '@cdc-migrations/table-defs';
import { buildOutcome, type Certainty, type Delivered, type Outcome } from './build-outcome.ts';
import { compareLists } from './compare-lists.ts';
import { compareLog } from './compare-log.ts';
import { type SoakDatabase, TENANT } from './soak-target.ts';
import { unavailableValue } from './unavailable-value.ts';

/** Compares a table, its log, dead letters, tombstones and unseen offsets with the expected state. */
export async function compareOutcome(
  database: SoakDatabase,
  table: ReplicatedTable,
  delivered: Delivered,
  certainty: Certainty = 'exact',
): Promise<readonly string[]> {
  const outcome = buildOutcome(table, delivered, certainty);
  const differences = [
    ...(await compareFinalTable(
      database.superuser,
      TENANT,
      table,
      outcome.rows,
      uncompared(table),
    )),
    ...(await compareLog(database, table, outcome, certainty)),
    ...(await compareUnseen(database, table, outcome)),
    ...(await compareDeadLetters(database, table, outcome)),
    ...(await compareTombstones(database, table, outcome)),
  ];
  return differences.map((difference) => `${table.name}: ${difference}`);
}

/** Lists columns to skip: a late large value changes the time of its row. */
export function uncompared({ columns }: ReplicatedTable): readonly string[] {
  const hasGaps = columns.some(
    ({ role, type }) => role === 'source' && unavailableValue(type) !== undefined,
  );
  return hasGaps ? ['__sync_timestamp'] : [];
}

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
  const gaps = found.map(({ gap }) => gap);
  const hasCleared = streams.some(({ events }) => events > MOST_GAPS);
  return [
    ...compareLists(
      'unseen offsets',
      hasCleared ? expected.filter((gap) => gaps.includes(gap)) : expected,
      gaps,
    ),
    ...streams.flatMap(({ stream }) => {
      const count = gaps.filter((gap) => gap.startsWith(`${stream} `)).length;
      return count > MOST_GAPS ? [`${count} unseen offsets of ${stream}`] : [];
    }),
  ];
}

/** Maximum number of separate gaps per stream. The newest are kept. */
export const MOST_GAPS = 1000;

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
  { name, positions }: ReplicatedTable,
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
    ...(remembered.size < found.length && positions === undefined
      ? ['two tombstones of one delete']
      : []),
  ];
}
