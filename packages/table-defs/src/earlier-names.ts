import type { SinkTable } from '@cdc-migrations/config';
import { shortName } from '@cdc-migrations/sql-text';
import { checkName } from './check-column-names.ts';
import { goneAt, problemAt, suggestion, type ProblemList } from './problems.ts';
import type { ColumnDefinition } from './table-definition.ts';

/**
 * Adds the earlier names from `renames` to columns: `{ a: b, b: c }` makes `c` a column that was `b` and before that
 * `a`. A column whose letters differ from the source had the source's letters before. A rename to an unknown column, or
 * from a column that still exists, is an error.
 */
export function withEarlierNames(
  columns: readonly ColumnDefinition[],
  sink: SinkTable,
  problems: ProblemList,
): readonly ColumnDefinition[] {
  checkHints(columns, sink, problems);
  if (sink.renames.size > 0) checkRenames(columns, sink, problems);
  const before = new Map([...sink.renames].map(([from, to]) => [shortName(to), shortName(from)]));
  return columns.map((column) => {
    const own = earlierNames(column.name, before);
    const formerly = [
      ...own,
      ...sourceNames(column, columns).filter((name) => !own.includes(name)),
    ];
    return formerly.length > 0 ? { ...column, formerly } : column;
  });
}

function earlierNames(name: string, before: ReadonlyMap<string, string>): readonly string[] {
  const names: string[] = [];
  for (let at = before.get(name); at !== undefined; at = before.get(at)) names.push(at);
  return names;
}

/** Returns the source's name of a column if it differs and no other column has it. */
function sourceNames(
  { name, source }: ColumnDefinition,
  columns: readonly ColumnDefinition[],
): readonly string[] {
  const other = source && shortName(source.name);
  if (other === undefined || other === name) return [];
  return columns.some((column) => column.name === other) ? [] : [other];
}

function checkRenames(
  columns: readonly ColumnDefinition[],
  { at, schema, table, renames }: SinkTable,
  problems: ProblemList,
): void {
  const name = `${schema}.${table}`;
  const present = new Set(columns.map((column) => column.name));
  const known = columns.filter(({ role }) => role !== 'metadata').map((column) => column.name);
  for (const [from, to] of renames) {
    checkName(from, at, problems);
    if (present.has(shortName(from))) {
      const message = `${name} still has a column "${from}"; remove the rename. If "${from}" is a new column, apply the rename to every target first`;
      problems.errors.push(problemAt(at, ['renames', from], message));
    }
    if (renames.has(to) || known.includes(shortName(to))) continue;
    const message = `${name} has no column "${to}"${suggestion(to, known)}`;
    problems.errors.push(goneAt(at, ['renames', from], message));
  }
}

function checkHints(
  columns: readonly ColumnDefinition[],
  { at, schema, table, hints }: SinkTable,
  problems: ProblemList,
): void {
  const known = columns.filter(({ role }) => role !== 'metadata').map(({ name }) => name);
  for (const name of new Set([...hints.using.keys(), ...hints.beforeNotNull.keys()])) {
    if (known.includes(shortName(name))) continue;
    const message = `${schema}.${table} has no column "${name}"${suggestion(name, known)}`;
    problems.errors.push(goneAt(at, ['manual_migration_hints'], message));
  }
}
