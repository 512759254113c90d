import type { LockedTable, MergeProblem } from '../status/read-concerns.ts';
import type { TableName } from './merge-event.ts';

/** Tables that a run cannot merge. */
export interface LeftOut {
  /** Because somebody changed by hand what a merge needs. */
  readonly mergeProblems: readonly MergeProblem[];
  /** As long as somebody has locked their staging table. */
  readonly lockedStaging: readonly LockedTable[];
}

/** Describes why each table is left out, and what is to be done. */
export function describeLeftOut({
  mergeProblems,
  lockedStaging,
}: LeftOut): readonly (TableName & { readonly reason: string })[] {
  return [
    ...mergeProblems.map(({ schema, table, problem, wayOut }) => ({
      schema,
      table,
      reason: `${problem}; ${wayOut}`,
    })),
    ...lockedStaging.map(({ schema, table, holder }) => ({
      schema,
      table,
      reason: `left out as long as its staging table is locked by ${holder}`,
    })),
  ];
}
