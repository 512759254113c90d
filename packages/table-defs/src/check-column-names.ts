import { letterFault, type ConfigPath } from '@cdc-migrations/config';
import { SCHEMA_PLACEHOLDER } from '@cdc-migrations/sql-text';
import { RESERVED_NAMES } from './metadata-columns.ts';
import { problemAt, type ProblemList } from './problems.ts';
import type { ColumnDefinition } from './table-definition.ts';

/** Names that PostgreSQL keeps in every table. */
const POSTGRES_OWN = new Set(['tableoid', 'xmin', 'cmin', 'xmax', 'cmax', 'ctid']);

/** Refuses a name with letters that do not show, or that would be taken for the tenant's schema when a file is applied. */
export function checkName(name: string, at: ConfigPath, problems: ProblemList): void {
  const fault = letterFault(name);
  if (fault !== undefined) problems.errors.push(problemAt(at, [], fault));
  refusePlaceholder(name, at, problems);
}

function refusePlaceholder(name: string, at: ConfigPath, problems: ProblemList): void {
  if (!name.includes(SCHEMA_PLACEHOLDER)) return;
  const message =
    `the name "${name}" has ${SCHEMA_PLACEHOLDER}, which stands for the tenant's schema in every file and would ` +
    'be replaced; leave it out or give it another name';
  problems.errors.push(problemAt(at, [], message));
}

/** Refuses columns of a table whose names fall together, or belong to PostgreSQL or the metadata. */
export function checkColumnNames(
  columns: readonly ColumnDefinition[],
  table: string,
  at: ConfigPath,
  problems: ProblemList,
): void {
  const earlier = new Map<string, ColumnDefinition>();
  for (const column of columns) {
    const { name } = column;
    refusePlaceholder(name, at, problems);
    const fault = letterFault(originOf(column), 'rename it or put it into ignore_columns');
    if (fault !== undefined)
      problems.errors.push(problemAt(at, [], `column of ${table}: ${fault}`));
    const folded = name.toLowerCase();
    const other = earlier.get(folded);
    earlier.set(folded, column);
    if (RESERVED_NAMES.has(folded)) {
      const message = `column "${name}" of ${table} has a name that is kept for the metadata; put it into ignore_columns`;
      problems.errors.push(problemAt(at, [], message));
    } else if (POSTGRES_OWN.has(name)) {
      const message = `column "${name}" of ${table} has a name that PostgreSQL keeps in every table; put it into ignore_columns`;
      problems.errors.push(problemAt(at, [], message));
    } else if (other) {
      const how = other.name === name ? `both become "${name}"` : 'differ only in case';
      const message =
        `columns "${originOf(other)}" and "${originOf(column)}" of ${table} ${how}; ` +
        'put one of them into ignore_columns or name the template column otherwise';
      problems.errors.push(problemAt(at, [], message));
    }
  }
}

function originOf({ name, source }: ColumnDefinition): string {
  return source?.name ?? name;
}
