import {
  describeHolder,
  describeLeftOut,
  type Concerns,
  type HeldLock,
  type LossCause,
  type LostStaging,
} from '@cdc-migrations/tracker';
import { countOf } from '../count-of.ts';
import { joinAlike, type SchemaLines } from '../target/join-alike.ts';
import { nameSchema } from '../target/name-schema.ts';

/** Limit of rows that `cdc_management.count_unfilled` counts. */
const COUNTED_ROWS = 100_000;

const ERRORS = 'see cdc_management.recent_errors';
const REPLAY = 'fix the cause, then run merge --replay-dead-letters';

/** Counts the causes that keep events from the final tables: `merges of 2 tables failed`, `64 dead letters`. */
export function listTroubles(concerns: Concerns): readonly string[] {
  const { mergeProblems, failingMerges, heldMerges, lostStaging, deadLetters, refusedEvents } =
    concerns;
  return [
    ...(mergeProblems.length > 0 ? [countOf(mergeProblems.length, 'merge problem')] : []),
    ...(failingMerges.length > 0
      ? [`merges of ${countOf(failingMerges.length, 'table')} failed`]
      : []),
    ...(heldMerges.length > 0 ? [`${countOf(heldMerges.length, 'table')} held by a session`] : []),
    ...(lostStaging.length > 0
      ? [`${countOf(lostStaging.length, 'stream')} to replay after a possible loss`]
      : []),
    ...countEvents(deadLetters, 'dead letter'),
    ...countEvents(refusedEvents, 'refused event'),
  ];
}

function countEvents(
  tables: readonly { readonly count: number }[],
  what: string,
): readonly string[] {
  const events = tables.reduce((sum, { count }) => sum + count, 0);
  return events > 0 ? [countOf(events, what)] : [];
}

/** Renders a line for each cause that needs attention, and the schemas that it concerns. */
export function renderConcerns(concerns: Concerns): readonly string[] {
  return joinAlike(describeConcerns(concerns));
}

function describeConcerns({
  lostStaging,
  deadLetters,
  refusedEvents,
  columns,
  heldMerges,
  failingMerges,
  backfill,
  ...leftOut
}: Concerns): readonly SchemaLines[] {
  const about = (schema: string, line: string): SchemaLines => ({ schema, lines: [line] });
  return [
    ...describeLeftOut(leftOut).map(({ schema, table, reason }) =>
      about(schema, `${schema}.${table}: ${reason}`),
    ),
    ...heldMerges.map(({ schema, table, since, holder }) =>
      about(
        schema,
        `${schema}.${table}: has waited since ${since} for ${holder}, which merges it or has locked its staging table; end that session if it is idle`,
      ),
    ),
    ...failingMerges.map(({ schema, table, error }) =>
      about(schema, `${schema}.${table}: last merge failed: ${error}`),
    ),
    ...lostStaging.map((loss) => about(loss.schema, renderLoss(loss))),
    ...deadLetters.map(({ schema, table, count }) => ({
      ...about(
        schema,
        `${schema}.${table}: ${countOf(count, 'dead letter')}; ${ERRORS}; ${REPLAY}`,
      ),
      ...{ cause: `dead letters of ${table}`, detail: String(count) },
    })),
    ...refusedEvents.map(({ schema, table, topic, count }) => ({
      schema,
      lines: [
        `${schema ?? '?'}.${table ?? '?'}: ${countOf(count, 'refused event')} of topic ${topic ?? '?'}; ${ERRORS}${table === null ? '' : `; ${REPLAY}`}`,
      ],
      ...{ cause: `refused events of ${table}`, detail: `${count} of ${topic ?? '?'}` },
    })),
    ...columns.map(({ schema, table, column, state, statement }) => {
      const way = statement === null ? '' : `; ${statement}`;
      return about(schema, `${schema}.${table}.${column}: ${state}${way}`);
    }),
    ...backfill.map(({ schema, table, column, since, rows }) => {
      const count = rows === null || rows < COUNTED_ROWS ? rows : `at least ${rows}`;
      const without =
        rows === null
          ? 'its table is locked'
          : `${count} ${count === 1 ? 'row' : 'rows'} without a value`;
      return {
        ...about(
          schema,
          `${schema}.${table}.${column}: backfill needed, added ${since}, ${without}; a reload fills it (docs/reload.md)`,
        ),
        ...{ cause: `backfill of ${table}.${column}`, detail: without },
      };
    }),
  ];
}

/** Renders a line for each held lock of apply. Anybody who may connect can hold one. */
export function renderLocks(locks: readonly HeldLock[]): readonly string[] {
  return locks.map(({ schema, holder }) => {
    const where = schema === undefined ? '' : ` in ${nameSchema(schema)}`;
    return `an apply${where} is running, or its lock is held: ${describeHolder(holder)}`;
  });
}

/**
 * Renders a loss: `staging of blue.Actor was emptied: replay AdOpus.Actor partition 2 (generation 0) from offset 4711`.
 */
function renderLoss({ schema, table, stream, replayFrom, cause }: LostStaging): string {
  const from = replayFrom === null ? 'from the beginning' : `from offset ${replayFrom}`;
  if (cause in AT_SOURCE) {
    const source = `${stream?.database}.${stream?.table}`;
    return `changes of ${source} for ${schema}.${table} ${AT_SOURCE[cause]}; see docs/reference/merging.md`;
  }
  const what = stream
    ? `${stream.database}.${stream.table} partition ${stream.partition} (generation ${stream.generation})`
    : 'its topic';
  return `staging of ${schema}.${table} ${WHAT_HAPPENED[cause]}: replay ${what} ${from}`;
}

const AT_SOURCE: Readonly<Partial<Record<LossCause, string>>> = {
  'cleaned up':
    'were removed from the source before they were read: reload the table (cdc manage-migrations reload)',
  'restored source':
    'are not read, because the source was restored and its LSNs start again: increment CDC_STREAM_GENERATION, and reload the table (cdc manage-migrations reload)',
  'needs snapshot': 'are incomplete for a new table: read a snapshot',
};

const WHAT_HAPPENED: Readonly<Partial<Record<LossCause, string>>> = {
  crash: 'was emptied',
  'new timeline':
    'may be missing events since the server was promoted, or recovered to a point in time',
  'restored copy': 'may be missing events since this database was copied or restored',
  dropped: 'may be missing events since it or its final table was dropped and created again',
};
