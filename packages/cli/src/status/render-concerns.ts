import type { Concerns } from '@cdc-migrations/tracker';

/** A line for each thing that people should look at. */
export function renderConcerns({ lostStaging, columns }: Concerns): readonly string[] {
  return [
    ...lostStaging.map(({ schema, table, stream, replayFrom }) => {
      const from = replayFrom === null ? 'from the beginning' : `from offset ${replayFrom}`;
      return `staging of ${schema}.${table} was emptied: replay ${stream ?? 'its topic'} ${from}`;
    }),
    ...columns.map(({ schema, table, column, state, statement }) => {
      const way = statement === null ? '' : `; ${statement}`;
      return `${schema}.${table}.${column}: ${state}${way}`;
    }),
  ];
}
