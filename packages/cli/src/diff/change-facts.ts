import { describeChange, renderClauses } from '@cdc-migrations/ddl-render';
import { groupBy } from '@cdc-migrations/sql-text';
import {
  schemaLabel,
  type ChangeClass,
  type TableChange,
  type TableDefinition,
} from '@cdc-migrations/table-defs';

/** A change with the facts that all report formats show. */
export interface ChangeFacts {
  /** `<schema>.<Table>`, with the service instead of the tenant's schema. */
  readonly table: string;
  readonly what: string;
  readonly class: ChangeClass;
  /** Table lock that the change takes. */
  readonly lock: string;
  /** Clauses of ALTER TABLE on the final table and on the staging table. */
  readonly final: readonly string[];
  readonly staging: readonly string[];
}

export function changeFacts(change: TableChange): ChangeFacts {
  const clauses = renderClauses(change);
  return {
    table: labelOf(change.table),
    what: describeChange(change),
    class: change.class,
    lock: lockOf(change, clauses.final.length + clauses.staging.length > 0),
    ...clauses,
  };
}

export function labelOf(table: TableDefinition): string {
  return `${schemaLabel(table)}.${table.name}`;
}

/** Groups changes by table, in their order. */
export function groupByTable(
  changes: readonly TableChange[],
): readonly { readonly table: TableDefinition; readonly changes: readonly TableChange[] }[] {
  const groups = groupBy(changes, ({ table }) => table);
  return [...groups].map(([table, own]) => ({ table, changes: own }));
}

function lockOf({ class: changeClass }: TableChange, hasClauses: boolean): string {
  if (changeClass === 'unsafe') return 'none, because it is refused';
  if (!hasClauses) return 'none';
  return changeClass === 'rewrite'
    ? 'ACCESS EXCLUSIVE during the rewrite'
    : 'ACCESS EXCLUSIVE for a moment';
}
