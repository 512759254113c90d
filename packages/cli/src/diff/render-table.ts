import { quoteIdentifier } from '@cdc-migrations/sql-text';
import type { ChangeClass, TableChange } from '@cdc-migrations/table-defs';
import { countOf } from '../count-of.ts';
import type { Table } from '../report-lines.ts';
import type { Diff } from './diff-result.ts';
import { changeFacts } from './change-facts.ts';

const HEAD = ['table', 'what', 'class', 'lock', 'SQL'];

/**
 * Renders changes as a table:
 *
 *     table what class lock SQL
 *     adopus.Distrikt new column "Ny": integer free ACCESS EXCLUSIVE for a moment ADD COLUMN "Ny" integer
 *                                                                                        "stg_Distrikt": ADD COLUMN
 *                                                                                        "Ny" bigint
 */
export function renderTable({ changes }: Diff): readonly Table[] {
  const rows = changes.flatMap(renderChange);
  return rows.length > 0 ? [{ head: HEAD, rows }] : [];
}

function renderChange(change: TableChange): readonly (readonly string[])[] {
  const { table, what, class: changeClass, lock } = changeFacts(change);
  const [first = '', ...others] = listClauses(change);
  return [
    [table, what, changeClass, lock, first],
    ...others.map((clause) => ['', '', '', '', clause]),
  ];
}

/** SQL of a change: clauses of the final table, and of the staging table with its name in front. */
export function listClauses(change: TableChange): readonly string[] {
  const { final, staging } = changeFacts(change);
  return [
    ...final,
    ...staging.map((clause) => `${quoteIdentifier(stagingName(change))}: ${clause}`),
    ...(change.kind === 'table added' && change.table.kind === 'replicated'
      ? ['CREATE TABLE']
      : []),
  ];
}

function stagingName({ table }: TableChange): string {
  return table.kind === 'replicated' ? table.names.staging : table.name;
}

const CLASSES: readonly ChangeClass[] = ['unsafe', 'rewrite', 'free', 'informational'];

/** Renders the number of changes of each class, and what to do next. */
export function renderSum(
  { changes, isWritten, gone: problems }: Diff,
  { isOfSource }: { readonly isOfSource: boolean },
): string {
  const gone = problems.length;
  const writer = isOfSource ? 'generate --refresh' : 'generate';
  const blocked = gone === 0 ? '' : `; fix the configuration first, in ${countOf(gone, 'place')}`;
  if (changes.length === 0)
    return `no changes in the definitions${blocked || '; generate --check also finds new customers'}`;
  const tables = new Set(changes.map(({ table }) => table)).size;
  const counts = CLASSES.map((changeClass) => ({
    made: changeClass,
    count: changes.filter((change) => change.class === changeClass).length,
  }));
  const parts = counts
    .filter(({ count }) => count > 0)
    .map(({ made, count }) => `${count} ${made}`);
  const sum = `${countOf(changes.length, 'change')} in ${countOf(tables, 'table')}: ${parts.join(', ')}`;
  if (blocked !== '') return sum + blocked;
  return isWritten
    ? `${sum}; the generated files have all of them`
    : `${sum}; cdc manage-migrations ${writer} writes the files`;
}
