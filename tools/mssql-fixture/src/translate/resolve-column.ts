import { raise } from '../engine/sql-server-error.ts';
import type { ResultColumn } from '../tds/tokens.ts';
import type { Scope, Source } from './translation.ts';
import type { TypedSql } from './typed-sql.ts';

interface Found {
  readonly source: Source;
  readonly column: ResultColumn;
}

/**
 * What a column's name stands for in a scope or the ones around it. Throws 207, 209 or 4104, and 8120 for a column
 * that is neither grouped nor aggregated.
 */
export function resolveColumn(scope: Scope, parts: readonly string[], line: number): TypedSql {
  const name = parts.at(-1) ?? '';
  const qualifier = parts.length > 1 ? parts.at(-2) : undefined;
  let isQualifierKnown = false;
  for (let at: Scope | undefined = scope; at; at = at.outer) {
    const sources = at.sources.filter(
      (source) => qualifier === undefined || isSame(source.alias, qualifier),
    );
    isQualifierKnown ||= sources.length > 0;
    const found = sources.flatMap((source) => findIn(source, name));
    const [first] = found;
    if (found.length > 1) throw raise(209, [name], { line });
    if (first) return groupedColumn(at, first, line);
    if (qualifier !== undefined && isQualifierKnown) break;
  }
  if (qualifier !== undefined && !isQualifierKnown) throw raise(4104, [parts.join('.')], { line });
  throw raise(207, [name], { line });
}

function findIn(source: Source, name: string): readonly Found[] {
  const column = source.columns.find((candidate) => isSame(candidate.name, name));
  return column ? [{ source, column }] : [];
}

function groupedColumn(scope: Scope, { source, column }: Found, line: number): TypedSql {
  const sql = source.columnSql(column.name);
  if (scope.groups && !scope.groups.has(sql)) {
    throw raise(8120, [`${source.alias}.${column.name}`], { line });
  }
  return { sql, type: column.type };
}

/** Whether two names are the same to SQL Server, which compares them without case. */
export function isSame(left: string, right: string): boolean {
  return left.toLowerCase() === right.toLowerCase();
}
