import type { LockedTable, MergeProblem } from '../status/read-concerns.ts';
import type { TableName } from './merge-event.ts';

/** Tables that a run cannot merge. */
export interface LeftOut {
  /** Tables whose objects were changed by hand. */
  readonly mergeProblems: readonly MergeProblem[];
  /** Tables whose staging table is locked by another session. */
  readonly lockedStaging: readonly LockedTable[];
}

/** Describes why each table is skipped, and what to do. */
export function describeLeftOut({
  mergeProblems,
  lockedStaging,
}: LeftOut): readonly (TableName & { readonly reason: string })[] {
  return [
    ...mergeProblems.map(({ schema, table, problem, solution }) => ({
      schema,
      table,
      reason: `${problem}; ${solution}`,
    })),
    ...lockedStaging.map(({ schema, table, holder }) => ({
      schema,
      table,
      reason: `skipped while its staging table is locked by ${holder}`,
    })),
  ];
}
