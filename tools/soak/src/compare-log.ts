import type { ReplicatedTable } from '@cdc-migrations/table-defs';
import type { Certainty, Outcome } from './build-outcome.ts';
import { compareLists } from './compare-lists.ts';
import { type SoakDatabase, TENANT } from './soak-target.ts';

interface StreamSums {
  /** `-` in place of a missing partition, generation or offset. */
  readonly stream: string;
  readonly events: string;
  readonly range: string;
}

interface LogRow extends StreamSums {
  readonly wrong: boolean;
  readonly merged: string;
  readonly deleted: string;
  readonly dead: string;
  /** Written rows, keys noted as deleted, dead letters. */
  readonly written: string;
  readonly noted: string;
  readonly letters: string;
}

/** Compares the processing log of a table with its streams and with what the triggers observed. */
export async function compareLog(
  { superuser }: SoakDatabase,
  { name }: ReplicatedTable,
  { streams }: Outcome,
  certainty: Certainty,
): Promise<readonly string[]> {
  const found = await superuser.unsafe<LogRow[]>(LOG, [TENANT, name]);
  const expected = streams.map(({ stream, events, firstOffset, lastOffset }) => {
    return { stream, events: String(events), range: `${firstOffset ?? '-'}..${lastOffset ?? '-'}` };
  });
  return [
    ...compareLists('stream', listSums(expected, certainty), listSums(found, certainty)),
    ...found.filter(isWrong).map((row) => `counts of the log: ${JSON.stringify(row)}`),
  ];
}

/** Lists sums of streams with valid positions, which can be replayed. After a crash the others are uncertain. */
function listSums(streams: readonly StreamSums[], certainty: Certainty): readonly string[] {
  if (certainty === 'exact')
    return streams.map(({ stream, events, range }) => `${stream}: ${events} events, ${range}`);
  return streams
    .filter(({ stream, range }) => !stream.includes('-') && range !== '-..-')
    .map(({ stream, range }) => `${stream}: ${range}`);
}

function isWrong(row: LogRow): boolean {
  return (
    row.wrong || row.merged !== row.written || row.deleted !== row.noted || row.dead !== row.letters
  );
}

const LOG = `
WITH log AS (
  SELECT coalesce(kafka_partition::text, '-') || '/' || coalesce(stream_generation::text, '-') AS stream,
    sum(events)::text AS events,
    coalesce(min(first_offset)::text, '-') || '..' || coalesce(max(last_offset)::text, '-') AS range,
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
