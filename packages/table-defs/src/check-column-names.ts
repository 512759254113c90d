import type { Location } from '@cdc-migrations/config';
import { characterProblem, visible } from '@cdc-migrations/generated-file';
import { findPlaceholder, shortName } from '@cdc-migrations/sql-text';
import type { TableMapping } from './find-source.ts';
import { RESERVED_NAMES } from './metadata-columns.ts';
import { problemAt, type ProblemList } from './problems.ts';
import type { ColumnDefinition } from './table-definition.ts';

/** System columns of every PostgreSQL table. */
const POSTGRES_OWN = new Set(['tableoid', 'xmin', 'cmin', 'xmax', 'cmax', 'ctid']);

/** Reports names of a table and its source that cannot be used in SQL files. */
export function checkNames(mapping: TableMapping, problems: ProblemList): void {
  const { service, sink, table, selection, source } = mapping;
  checkName(`${table.schema}.${table.table}`, table.at, problems);
  const from = `${service.validationDatabase}.${selection.schema}.${source.name}`;
  refusePlaceholder(from, selection.at, problems);
  refusePlaceholder(sink.sink, sink.at, problems);
  for (const { at, bloblangRef } of table.transforms) refusePlaceholder(bloblangRef, at, problems);
}

/** Reports a name with invisible characters, or with the placeholder of the tenant's schema. */
export function checkName(name: string, at: Location, problems: ProblemList): void {
  const problem = characterProblem(name);
  if (problem !== undefined) problems.errors.push(problemAt(at, [], problem));
  refusePlaceholder(name, at, problems);
}

/** Reports a text for SQL files that contains the placeholder of the tenant's schema. */
export function refusePlaceholder(text: string, at: Location, problems: ProblemList): void {
  const placeholder = findPlaceholder(text);
  if (placeholder === undefined) return;
  const message =
    `"${visible(text)}" has ${placeholder}, which is replaced with the tenant's schema; ` +
    'remove it or use another name';
  problems.errors.push(problemAt(at, [], message));
}

/** Reports duplicate columns of a table, and columns with names of system columns or metadata columns. */
export function checkColumnNames(
  columns: readonly ColumnDefinition[],
  table: string,
  at: Location,
  problems: ProblemList,
): void {
  const earlier = new Map<string, ColumnDefinition>();
  for (const column of columns) {
    const { name } = column;
    refusePlaceholder(name, at, problems);
    const problem = characterProblem(originOf(column), 'rename it or put it into ignore_columns');
    if (problem !== undefined)
      problems.errors.push(problemAt(at, [], `column of ${table}: ${problem}`));
    const folded = name.toLowerCase();
    const other = earlier.get(folded);
    earlier.set(folded, column);
    if (RESERVED_NAMES.has(folded)) {
      const message = `column "${name}" of ${table} has a reserved metadata name; put it into ignore_columns`;
      problems.errors.push(problemAt(at, [], message));
    } else if (POSTGRES_OWN.has(name)) {
      const message = `column "${name}" of ${table} has the name of a PostgreSQL system column; put it into ignore_columns`;
      problems.errors.push(problemAt(at, [], message));
    } else if (other) {
      const how = other.name === name ? `both become "${name}"` : 'differ only in case';
      const message =
        `columns "${originOf(other)}" and "${originOf(column)}" of ${table} ${how}; ` +
        'put one of them into ignore_columns, or rename the template column' +
        (isRenamed(column) || isRenamed(other)
          ? ', or rename one in columns, or set column_names: source in pipeline of this table'
          : '');
      problems.errors.push(problemAt(at, [], message));
    }
  }
}

/** Checks if the name differs from the source's name. */
function isRenamed({ name, source }: ColumnDefinition): boolean {
  return source !== undefined && name !== shortName(source.name);
}

function originOf({ name, source }: ColumnDefinition): string {
  return source?.name ?? name;
}
