import { formatProblem } from '@cdc-migrations/config';
import type { TableChange } from '@cdc-migrations/table-defs';
import { EXIT } from '../exit-code.ts';
import type { Diff } from './diff-result.ts';
import { changeFacts } from './change-facts.ts';
import { listWarnings } from './list-warnings.ts';

/** Builds one document with every change, both sides of it, and the statements that would run. */
export function documentOf({ changes, gone, suggestions, inTheWay, manual }: Diff): object {
  return {
    exitCode: changes.length + gone.length > 0 ? EXIT.differences : EXIT.done,
    changes: changes.map(describe),
    gone: gone.map(formatProblem),
    warnings: [...listWarnings(changes), ...suggestions],
    ...(inTheWay && { inTheWay }),
    manual,
  };
}

function describe(change: TableChange): object {
  const { table, what, lock, final, staging } = changeFacts(change);
  const { kind, class: changeClass, before, after } = change;
  const { set, service } = change.table;
  return {
    kind,
    class: changeClass,
    set,
    service,
    table,
    what,
    lock,
    before,
    after,
    sql: { final, staging },
  };
}
