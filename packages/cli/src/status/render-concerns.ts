import type { Concerns } from '@cdc-migrations/tracker';

/** As far as `cdc_management.count_unfilled` counts. */
const COUNTED_ROWS = 100_000;

/** A line for each thing that people should look at. */
export function renderConcerns({ lostStaging, columns, backfill }: Concerns): readonly string[] {
  return [
    ...lostStaging.map(({ schema, table, stream, replayFrom }) => {
      const from = replayFrom === null ? 'from the beginning' : `from offset ${replayFrom}`;
      return `staging of ${schema}.${table} was emptied: replay ${stream ?? 'its topic'} ${from}`;
    }),
    ...columns.map(({ schema, table, column, state, statement }) => {
      const way = statement === null ? '' : `; ${statement}`;
      return `${schema}.${table}.${column}: ${state}${way}`;
    }),
    ...backfill.map(({ schema, table, column, since, rows }) => {
      const count = rows < COUNTED_ROWS ? `${rows}` : `at least ${rows}`;
      return `${schema}.${table}.${column}: backfill needed, came ${since}, ${count} rows without it`;
    }),
  ];
}
