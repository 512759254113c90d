import {
  addCounts,
  describeLeftOut,
  labelOf,
  NO_EVENTS,
  type MergeCounts,
  type MergeResult,
  type TableReplay,
} from '@cdc-migrations/tracker';
import { countOf } from '../count-of.ts';
import { joinAlike } from '../target/join-alike.ts';

const DEAD =
  'the reasons of dead letters are in cdc_management.recent_errors; fix the cause, then run merge --replay-dead-letters';

/** Renders the result of a run: a line for the total, then one for each table. */
export function renderResult(
  label: string,
  { tables, replays, heldTables, lost, ...leftOut }: MergeResult,
): readonly string[] {
  const total = tables.reduce<MergeCounts>(addCounts, NO_EVENTS);
  const merged = tables.filter(({ events }) => events > 0);
  return [
    total.events === 0
      ? `${label}: ${replays.length > 0 ? 'nothing else merged' : 'nothing merged'}`
      : `${label}: ${countOf(merged.length, 'table')}, ${renderCounts(total)}`,
    ...replays.flatMap((replay) => [renderReplay(replay), ...renderReasons(replay)]),
    ...merged.map((table) => `${labelOf(table)}: ${renderCounts(table)}`),
    ...joinAlike(
      tables.flatMap((table) =>
        table.failure === null
          ? []
          : [{ schema: table.schema, lines: [`${labelOf(table)} failed: ${table.failure}`] }],
      ),
    ),
    ...joinAlike(
      describeLeftOut(leftOut).map((one) => ({
        schema: one.schema,
        lines: [`${labelOf(one)}: ${one.reason}`],
      })),
    ),
    ...heldTables.map(
      (one) =>
        `${labelOf(one)}: not merged: ${one.holder} merges it, or keeps it from being merged`,
    ),
    ...(total.dead + replays.reduce((sum, { dead }) => sum + dead, 0) > 0
      ? [`${label}: ${DEAD}`]
      : []),
    ...(lost === null ? [] : [`${label}: not all merged: ${lost}`]),
  ];
}

/** Renders counts: `120 events: 110 merged, 5 deleted, 3 stale, 2 dead`. */
export function renderCounts({ events, merged, deleted, stale, dead }: MergeCounts): string {
  return `${countOf(events, 'event')}: ${merged} merged, ${deleted} deleted, ${stale} stale, ${dead} dead`;
}

export function renderReplay(replay: TableReplay): string {
  const { what, replayed, merged, deleted, stale, dead, failure } = replay;
  const counts = `${merged} merged, ${deleted} deleted, ${stale} stale, ${dead} failed again`;
  const end = failure === null ? '' : `; failed: ${failure}`;
  const noun = what === 'dead letters' ? 'dead letter' : 'refused event';
  return `${labelOf(replay)}: ${countOf(replayed, noun)} replayed: ${counts}${end}`;
}

/** Renders the reasons of failed replays: `  2 × column "Navn": value too long ...`. */
function renderReasons({ reasons }: TableReplay): readonly string[] {
  return reasons.map(({ reason, count }) => `  ${count} × ${reason}`);
}
